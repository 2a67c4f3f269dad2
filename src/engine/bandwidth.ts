import { encodeDispatches } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { STREAM_SUMS_BYTES, streamReads } from "../kernels/stream_read.ts";

const ROUNDS = 32; // reads of the whole buffer in one submit, to drown the submit's own cost

/** Allocate a buffer that no cache holds, and work on plain reads of it; it is freed when that is done. */
export async function withStreamSource<T>(gpu: Gpu, use: (source: GPUBuffer, sums: GPUBuffer) => Promise<T>): Promise<T> {
  const byteLength = gpu.traits.isSoftware ? 32 * 2 ** 20 : Math.min(gpu.maxBindingBytes, 512 * 2 ** 20);
  const source = await gpu.allocate("bandwidth source", byteLength, GPUBufferUsage.STORAGE);
  const sums = await gpu.allocate("bandwidth sums", STREAM_SUMS_BYTES, GPUBufferUsage.STORAGE);
  try {
    return await use(source, sums);
  } finally {
    gpu.free(source, sums);
  }
}

/** Measure how fast this GPU streams a large buffer, in bytes per second: the roof of decoding. */
export async function measureBandwidth(gpu: Gpu): Promise<number> {
  return withStreamSource(gpu, async (source, sums) => {
    const [dispatch] = await streamReads(gpu, source, source.size, sums);
    let best = 0;
    for (let attempt = 0; attempt < 3; attempt++) {
      const encoder = gpu.device.createCommandEncoder({ label: "bandwidth" });
      const pass = encoder.beginComputePass();
      encodeDispatches(pass, Array.from({ length: ROUNDS }, () => dispatch));
      pass.end();
      await gpu.idle();
      const started = performance.now();
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.idle();
      best = Math.max(best, (ROUNDS * source.size) / ((performance.now() - started) / 1000));
    }
    return best;
  });
}
