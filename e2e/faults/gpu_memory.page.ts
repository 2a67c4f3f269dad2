// Runs in a page: the engine itself, without a worker, on a GPU whose memory ends.
import { Engine } from "../../src/engine/engine.ts";
import { HearthError } from "../../src/errors.ts";
import { startText } from "../support/text_on_page.ts";
import { FORMAT_CASES } from "../formats/format_cases.ts";
import { tinyCheckpoints } from "../formats/tiny_model.ts";
import { randomValues } from "../kernels/random_values.ts";
import { watchBuffers } from "./buffer_faults.ts";

/** How loads ended of which one allocation failed. */
export interface FailedLoads {
  allocations: number;
  /** Loads that ended otherwise than they should, by the number of the allocation. */
  surprises: string[];
  liveAfter: number[];
  /** Whether a model loads and computes after all of that. */
  logitsAfter: number;
}

/** Load, use and unload models of two formats in turn; GPU buffers alive with each loaded, and after each unload. */
export async function switchModels(cycles: number): Promise<{ liveLoaded: number[]; liveUnloaded: number[] }> {
  const { live } = watchBuffers();
  const models = [FORMAT_CASES[0], FORMAT_CASES[1]].map((format) => tinyCheckpoints(format, randomValues(7)).stored);
  const found = { liveLoaded: [] as number[], liveUnloaded: [] as number[] };
  for (let cycle = 0; cycle < cycles; cycle++) {
    const engine = await Engine.load(models[cycle % 2], { contextLength: 64 }, { baseUrl: location.href, startText });
    await engine.logits([1, 2, 3]);
    found.liveLoaded.push(live.size);
    await engine.unload();
    found.liveUnloaded.push(live.size);
  }
  return found;
}

/** Fail every n-th allocation of a load in turn, then load without a failure. */
export async function failAllocations(every: number): Promise<FailedLoads> {
  const faults = watchBuffers();
  const { stored } = tinyCheckpoints(FORMAT_CASES[0], randomValues(7));
  const load = () => Engine.load(stored, { contextLength: 64 }, { baseUrl: location.href, startText });
  await (await load()).unload();
  const allocations = faults.calls;
  const result: FailedLoads = { allocations, surprises: [], liveAfter: [], logitsAfter: 0 };
  for (let k = 1; k <= allocations; k += every) {
    Object.assign(faults, { calls: 0, failing: k, failedBytes: 0 });
    const outcome = await load().then(() => "loaded", (error: unknown) => error);
    const isTyped = outcome instanceof HearthError && outcome.code === "out-of-memory";
    const asked = isTyped ? (outcome.details.askedBytes ?? NaN) : NaN;
    if (!(Math.abs(faults.failedBytes - asked) <= 16)) result.surprises.push(`${k}: ${String(outcome)}, ${asked} of ${faults.failedBytes} bytes`);
    result.liveAfter.push(faults.live.size);
  }
  faults.failing = 0;
  const engine = await load();
  result.logitsAfter = (await engine.logits([1, 2, 3])).filter(Number.isFinite).length / engine.info.vocabSize;
  await engine.unload();
  result.liveAfter.push(faults.live.size);
  return result;
}
