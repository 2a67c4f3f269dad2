import type { TensorConsumer } from "../quant/module_repack.ts";
import type { CheckpointFile } from "../storage/checkpoint.ts";
import type { TensorJob } from "./weight_jobs.ts";

const SKIPPED_AT_MOST = 4 * 2 ** 20; // bytes worth reading past rather than starting another request

/** Feed a file's bytes to the tensors that lie in them, in one pass from front to back. */
export async function streamTensors(file: CheckpointFile, jobs: readonly TensorJob[], signal?: AbortSignal): Promise<void> {
  for (const run of neighbours(jobs)) await streamRun(file, run, signal);
}

/** Group tensors, sorted by position, into runs with no wide gap inside. */
function neighbours(jobs: readonly TensorJob[]): TensorJob[][] {
  const runs: TensorJob[][] = [];
  for (const job of jobs) {
    const end = runs.at(-1)?.at(-1)?.entry.end;
    if (end !== undefined && job.entry.begin - end <= SKIPPED_AT_MOST) runs[runs.length - 1].push(job);
    else runs.push([job]);
  }
  return runs;
}

async function streamRun(file: CheckpointFile, jobs: readonly TensorJob[], signal?: AbortSignal): Promise<void> {
  const first = jobs[0].entry.begin;
  const last = jobs[jobs.length - 1].entry.end;
  let next = 0;
  let consumer: TensorConsumer | undefined;
  let position = first;
  for await (const slice of file.stream(first, last, signal)) {
    signal?.throwIfAborted();
    const sliceEnd = position + slice.byteLength;
    while (next < jobs.length && jobs[next].entry.begin < sliceEnd) {
      const { entry, consume } = jobs[next];
      consumer ??= await consume();
      const begin = Math.max(entry.begin, position);
      await consumer.write(slice.subarray(begin - position, Math.min(entry.end, sliceEnd) - position));
      if (entry.end > sliceEnd) break;
      await consumer.end();
      consumer = undefined;
      next++;
    }
    position = sliceEnd;
  }
  // Empty tensors at the very end have no slice of their own.
  for (; next < jobs.length; next++) await (await jobs[next].consume()).end();
}
