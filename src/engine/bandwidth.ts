import type { Gpu } from "../gpu/gpu.ts";
import { timePasses, type TimedPass } from "../gpu/pass_times.ts";
import { streamReads } from "../kernels/stream_read.ts";

const ROUNDS = 32; // reads of the whole buffer in one pass, to drown what the pass itself costs

/** Allocate a buffer that no cache holds, and work on plain reads of it; it is freed when that is done. */
export async function withStreamSource<T>(gpu: Gpu, use: (source: GPUBuffer, marks: GPUBuffer) => Promise<T>): Promise<T> {
  const byteLength = gpu.traits.isSoftware ? 32 * 2 ** 20 : Math.min(gpu.maxBindingBytes, 512 * 2 ** 20);
  const source = await gpu.allocate("bandwidth source", byteLength, GPUBufferUsage.STORAGE);
  const marks = await gpu.allocate("bandwidth marks", 4, GPUBufferUsage.STORAGE);
  try {
    return await use(source, marks);
  } finally {
    gpu.free(source, marks);
  }
}

/** Measure how fast this GPU streams a large buffer, in bytes per second, the best of three: the roof of decoding. */
export async function measureBandwidth(gpu: Gpu): Promise<number> {
  return withStreamSource(gpu, async (source, marks) => {
    const reads = await streamReads(gpu, source, source.size, marks);
    const pass: TimedPass = { label: "bandwidth", prepare: () => {}, lists: Array.from({ length: ROUNDS }, () => reads) };
    const { milliseconds } = await timePasses(gpu, [pass, pass, pass]);
    const best = Math.min(...milliseconds.filter((ms) => ms > 0)); // a driver may fail to write a timestamp
    return (ROUNDS * source.size) / (best / 1000);
  });
}
