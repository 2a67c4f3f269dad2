import faultyWorker from "./faulty_worker.ts?worker&url";
import type { FaultMessage } from "./faulty_worker.ts";
import type { GpuFault, GpuRecord } from "./gpu_faults.ts";

/** While `work` runs, the library's workers are ones whose GPU can be broken. */
export async function withFaultyWorkers<T>(work: (faults: FaultSwitch, workers: readonly Worker[]) => Promise<T>): Promise<T> {
  let first: GpuFault | undefined;
  const workers: Worker[] = [];
  const RealWorker = window.Worker;
  window.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      const hasGpu = options?.name !== "hearth-text";
      super(hasGpu ? `${faultyWorker}?arm=${encodeURIComponent(JSON.stringify(first ?? null))}` : url, options);
      if (hasGpu) workers.push(this);
    }
  };
  const channel = new BroadcastChannel("gpu-faults");
  const ask = (message: FaultMessage) =>
    new Promise<GpuRecord>((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<{ answer: GpuRecord }>) => resolve(data.answer);
      channel.postMessage(message);
    });
  try {
    return await work({
      armNext: (fault) => void (first = fault),
      arm: (fault) => ask({ arm: fault }),
      advance: (milliseconds) => ask({ advanceMs: milliseconds }),
      record: () => ask({ record: true }),
    }, workers);
  } finally {
    channel.close();
    window.Worker = RealWorker;
  }
}

/** Breaks the GPU of the running worker. */
export interface FaultSwitch {
  /** Prepare a fault of the workers that are started from here on. */
  armNext(fault: GpuFault | undefined): void;
  arm(fault: GpuFault): Promise<GpuRecord>;
  advance(milliseconds: number): Promise<GpuRecord>;
  record(): Promise<GpuRecord>;
}

/** How a worker may come to its end; the last two loop, and are ended by an unload or by whoever watches them. */
export type WorkerEnd = "terminate" | "throw" | "close" | "loop" | "loop, watched";

/** Let the running worker answer nothing for a while. */
export async function blockWorker(milliseconds: number): Promise<void> {
  const channel = new BroadcastChannel("gpu-faults");
  const heard = new Promise((resolve) => (channel.onmessage = resolve));
  channel.postMessage({ blockMs: milliseconds } satisfies FaultMessage);
  await heard;
  channel.close();
}

/** End a worker, from outside or from within. */
export async function breakWorker(end: WorkerEnd, worker: Worker, unload: () => Promise<void>): Promise<void> {
  if (end === "terminate") return worker.terminate();
  const channel = new BroadcastChannel("gpu-faults");
  const heard = new Promise((resolve) => (channel.onmessage = resolve));
  channel.postMessage({ end: end === "loop, watched" ? "loop" : end } satisfies FaultMessage);
  await heard;
  channel.close();
  if (end === "loop") await unload();
}
