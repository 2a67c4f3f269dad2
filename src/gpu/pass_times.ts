import { encodeDispatches, type Dispatch } from "./dispatch.ts";
import type { Gpu } from "./gpu.ts";
import { readBuffer } from "./readback.ts";

/** What tells how long a pass took: the GPU's own timestamps, or the time until the page hears that it is done. */
export type GpuClock = "timestamp-query" | "wall";

/** Work that is timed as a pass of its own. */
export interface TimedPass {
  label: string;
  /** Writes what the dispatches read, ahead of the pass. */
  prepare(): void;
  /** Lists of dispatches, run in order. */
  lists: readonly (readonly Dispatch[])[];
}

/** How long each of some passes took, and by which clock. */
export interface PassTimes {
  clock: GpuClock;
  milliseconds: number[];
}

/** The best clock that a device has. */
export function bestClock({ device }: Gpu): GpuClock {
  return device.features.has("timestamp-query") ? "timestamp-query" : "wall";
}

/** Run passes one after another, and tell how long each took. */
export async function timePasses(gpu: Gpu, passes: readonly TimedPass[], clock = bestClock(gpu)): Promise<PassTimes> {
  if (clock === "timestamp-query") {
    const milliseconds = await timeByQueries(gpu, passes);
    if (milliseconds.some((ms) => ms > 0)) return { clock, milliseconds }; // drivers that write none leave zeros
  }
  return { clock: "wall", milliseconds: await timeByWaiting(gpu, passes) };
}

/** All passes are submitted before the one wait. */
async function timeByQueries(gpu: Gpu, passes: readonly TimedPass[]): Promise<number[]> {
  const { device } = gpu;
  const count = 2 * passes.length;
  const querySet = device.createQuerySet({ label: "pass times", type: "timestamp", count });
  const resolved = await gpu.allocate("pass times", 8 * count, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  try {
    for (const [index, pass] of passes.entries()) {
      submitPass(gpu, pass, { querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 });
    }
    const encoder = device.createCommandEncoder({ label: "pass times" });
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    device.queue.submit([encoder.finish()]);
    const nanoseconds = new BigUint64Array(await gpu.untilLost(readBuffer(device, resolved, 8 * count)));
    return passes.map((_, index) => Math.max(0, Number(nanoseconds[2 * index + 1] - nanoseconds[2 * index]) / 1e6));
  } finally {
    gpu.free(resolved);
    querySet.destroy();
  }
}

async function timeByWaiting(gpu: Gpu, passes: readonly TimedPass[]): Promise<number[]> {
  const milliseconds: number[] = [];
  await gpu.idle();
  for (const pass of passes) {
    const started = performance.now();
    submitPass(gpu, pass);
    await gpu.idle();
    milliseconds.push(performance.now() - started);
  }
  return milliseconds;
}

function submitPass({ device }: Gpu, { label, prepare, lists }: TimedPass, timestampWrites?: GPUComputePassTimestampWrites): void {
  prepare();
  const encoder = device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label, timestampWrites });
  for (const dispatches of lists) encodeDispatches(pass, dispatches);
  pass.end();
  device.queue.submit([encoder.finish()]);
}
