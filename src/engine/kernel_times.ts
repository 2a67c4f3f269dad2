import type { Gpu } from "../gpu/gpu.ts";
import { timePasses, type GpuClock } from "../gpu/pass_times.ts";
import { streamReads } from "../kernels/stream_read.ts";
import { withStreamSource } from "./bandwidth.ts";
import type { KernelReport, KernelTime } from "./options.ts";
import type { KernelPass, Runner } from "./runner.ts";

const REPEATS = 20; // tokens' worth of a kernel in one pass: browsers round timestamps to 0.1 ms
const LARGE_READ = 16 * 2 ** 20; // bytes; what is smaller is ruled by the time that any dispatch takes

/** Time each kind of kernel of the token after `length - 1` others, against what this GPU's memory gives in bytes per second. */
export async function timeKernels(gpu: Gpu, runner: Runner, length: number, bandwidth: number, clock?: GpuClock): Promise<KernelReport> {
  const passes = runner.kernelPasses(length, REPEATS);
  const warmUp = await timePasses(gpu, passes, clock);
  const measured = await timePasses(gpu, passes, warmUp.clock);
  const kernels = passes.map((pass, index) => kernelTime(pass, measured.milliseconds[index] / REPEATS, bandwidth));
  const plain = await timePlainReads(gpu, kernels.filter(({ bandwidthFraction }) => bandwidthFraction !== undefined), measured.clock);
  return { clock: measured.clock, kernels: kernels.map((kernel) => plain.get(kernel) ?? kernel).sort((a, b) => b.milliseconds - a.milliseconds) };
}

function kernelTime({ label, dispatches }: KernelPass, milliseconds: number, bandwidth: number): KernelTime {
  const reads = dispatches.map(({ streamedBytes = 0 }) => streamedBytes);
  const weightBytes = reads.reduce((sum, bytes) => sum + bytes, 0);
  const time: KernelTime = { label, dispatches: dispatches.length, milliseconds, weightBytes };
  if (Math.max(...reads) < LARGE_READ || milliseconds === 0) return time;
  return { ...time, bandwidthFraction: (1000 * weightBytes) / milliseconds / bandwidth };
}

/** What kernels take beside plain reads of as many bytes at once, which pay for their dispatches as well. */
function timePlainReads(gpu: Gpu, kernels: readonly KernelTime[], clock: GpuClock): Promise<Map<KernelTime, KernelTime>> {
  return withStreamSource(gpu, async (source, marks) => {
    const compared = new Map<KernelTime, KernelTime>();
    for (const kernel of kernels) {
      const { weightBytes, dispatches, milliseconds } = kernel;
      const reads = await streamReads(gpu, source, Math.min(source.size, weightBytes / dispatches), marks);
      const rounds = Math.max(2, Math.ceil(REPEATS / reads.length));
      const pass = { label: "plain reads", prepare: () => {}, lists: Array.from({ length: rounds }, () => reads) };
      const { milliseconds: [, plainMs] } = await timePasses(gpu, [pass, pass], clock); // the first wakes the GPU
      compared.set(kernel, { ...kernel, plainReadFraction: (plainMs / (rounds * reads.length)) * (dispatches / milliseconds) });
    }
    return compared;
  });
}
