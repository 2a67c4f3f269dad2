import { HearthError } from "../errors.ts";

/** Copy a buffer's bytes to the CPU. For tests and whole results: the decode loop uses a ring of staging buffers instead. */
export async function readBuffer(device: GPUDevice, buffer: GPUBuffer, byteLength = buffer.size, byteOffset = 0): Promise<ArrayBuffer> {
  // In scopes of its own, so that a copy there is no memory for fails this read and nothing else. All is submitted before
  // the first wait: what comes next may overwrite the buffer.
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  const staging = device.createBuffer({ label: `${buffer.label} readback`, size: byteLength, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const tooLittle = device.popErrorScope();
  try {
    const encoder = device.createCommandEncoder({ label: "readback" });
    encoder.copyBufferToBuffer(buffer, byteOffset, staging, 0, byteLength);
    device.queue.submit([encoder.finish()]);
    const invalid = device.popErrorScope();
    const mapped = staging.mapAsync(GPUMapMode.READ);
    mapped.catch(() => undefined); // the scopes tell why
    const [noMemory, error] = await Promise.all([tooLittle, invalid]);
    if (noMemory) {
      throw new HearthError("out-of-memory", `${buffer.label}: the GPU could not allocate ${byteLength} bytes to read it (${noMemory.message}). Close other tabs, or pick a smaller model or context.`, { details: { askedBytes: byteLength } });
    }
    if (error) throw new HearthError("gpu", `${buffer.label}: could not be read: ${error.message}`);
    await mapped;
    return staging.getMappedRange().slice(0);
  } finally {
    staging.destroy();
  }
}
