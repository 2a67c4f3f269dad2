import { encodeDispatches } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { STREAM_WORKGROUPS, streamRead } from "../kernels/stream_read.ts";

const ROUNDS = 32; // reads of the whole buffer in one submit, to drown the submit's own cost

/** Measure how fast this GPU streams a large buffer, in bytes per second: the roof of decoding. */
export async function measureBandwidth(gpu: Gpu): Promise<number> {
  const byteLength = gpu.traits.isSoftware ? 32 * 2 ** 20 : Math.min(gpu.maxBindingBytes, 512 * 2 ** 20);
  const source = await gpu.allocate("bandwidth source", byteLength, GPUBufferUsage.STORAGE);
  const target = await gpu.allocate("bandwidth target", STREAM_WORKGROUPS * 256 * 4, GPUBufferUsage.STORAGE);
  try {
    const dispatch = await streamRead(gpu, source, target);
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
      best = Math.max(best, (ROUNDS * byteLength) / ((performance.now() - started) / 1000));
    }
    return best;
  } finally {
    gpu.free(source, target);
  }
}
