import { encodeDispatches, prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import streamRead from "../../shaders/stream_read.wgsl?raw";

const ROUNDS = 8; // reads of the whole buffer in one submit, to drown the submit's own cost
const WORKGROUPS = 2048;

/** Measure how fast this GPU streams a large buffer, in bytes per second: the roof of decoding. */
export async function measureBandwidth(gpu: Gpu): Promise<number> {
  const byteLength = gpu.traits.isSoftware ? 32 * 2 ** 20 : Math.min(gpu.maxBindingBytes, 512 * 2 ** 20);
  const source = await gpu.allocate("bandwidth source", byteLength, GPUBufferUsage.STORAGE);
  const target = await gpu.allocate("bandwidth target", WORKGROUPS * 256 * 4, GPUBufferUsage.STORAGE);
  try {
    const pipeline = await gpu.compile("stream_read", assembleShader([streamRead], { QUADS: Math.floor(byteLength / 16), WORKGROUPS }));
    const dispatch = prepareDispatch(gpu.device, "stream_read", pipeline, [{ 0: source, 1: target }], [WORKGROUPS, 1, 1]);
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
    source.destroy();
    target.destroy();
  }
}
