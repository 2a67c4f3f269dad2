import { HearthError } from "../errors.ts";
import { plainTraits, type Gpu, type GpuTraits } from "../gpu/gpu.ts";
import { hasStates } from "../kernels/kv_cache.ts";
import type { Decoder } from "../kernels/layer_steps.ts";
import { chooseSchedule, type Schedule } from "../kernels/schedule.ts";
import { Runner } from "./runner.ts";

// Prefill and decode share no product, no reduction and no attention, so that a kernel that computes something else on
// this GPU shows as a difference between them: on the model itself, with the kernels that will run, and nothing compiled
// for the test alone. On an H100 rounding makes a relative difference of 1e-4; a kernel that leaves out one block of
// columns 1.2, one whose token does not see itself 0.2, one that rescales its softmax wrongly 0.1.
const TOLERANCE = 0.03;
// Prefill then rounds its inputs to 8 bits, and decoding does not: 0.047 on random weights of llama-3.2-1b, 0.072 on those of llama-3.1-8b.
const BYTE_TOLERANCE = 0.1;
const EXPERT_TOLERANCE = 0.2; // two experts that are nearly equal may trade places
const TOKENS = 36; // more than a tile of attention's keys

/** The schedules to try on an adapter, the fastest first: each relies on less of what the adapter says it can do. */
export function schedulesFor(traits: GpuTraits, inputBits: 8 | 16): Schedule[] {
  const noHalves = { ...traits, halfMatrices: false };
  const noMatrices = { ...noHalves, byteMatrices: false };
  const plain = plainTraits(traits);
  const cautious: GpuTraits[] = [noHalves, noMatrices, { ...noMatrices, integerDots: false }, plain, { ...plain, isSoftware: true }];
  const distinct = cautious.filter((each, i) => JSON.stringify(each) !== JSON.stringify(i === 0 ? traits : cautious[i - 1]));
  return [traits, ...distinct].map((each) => chooseSchedule(each, inputBits));
}

/** Prepare to run a decoder by the first of these schedules that computes on this GPU what it should, once its weights are there. */
export async function createTestedRunner(
  gpu: Gpu, schedules: readonly Schedule[], decoder: Decoder, contextLength: number, filled: Promise<void>,
): Promise<Runner> {
  const hasExperts = decoder.spec.layers.some(({ moe }) => moe);
  const failures: HearthError[] = [];
  for (const [attempt, schedule] of schedules.entries()) {
    const [runner] = await Promise.all([compiled(Runner.create(gpu, schedule, decoder, contextLength), failures), filled]);
    const difference = runner ? await pathDifference(runner, contextLength) : NaN; // which no tolerance allows
    const tolerance = schedule.inputForm === "int8" ? BYTE_TOLERANCE : TOLERANCE;
    if (runner && difference <= (hasExperts ? EXPERT_TOLERANCE : tolerance)) return runner;
    runner?.destroy();
    gpu.throwIfFaulty();
    const finding = runner ? `prefill and decode differ by ${difference.toPrecision(2)}` : "a kernel does not compile";
    console.warn(`Hearth: on this GPU ${finding} in schedule ${attempt + 1} of ${schedules.length}; trying a more cautious one.`);
  }
  if (failures.length === schedules.length) throw failures[0];
  throw new HearthError("gpu", "This GPU computes wrong results with every kernel that Hearth has for it. Update the graphics driver, or try another browser.");
}

/** What was created, or undefined, and the reason among the failures, where the device has no use for its kernels. */
async function compiled(creating: Promise<Runner>, failures: HearthError[]): Promise<Runner | undefined> {
  try {
    return await creating;
  } catch (error) {
    if (!(error instanceof HearthError) || error.code !== "gpu") throw error;
    failures.push(error);
    return undefined;
  }
}

/** How far the logits of the two paths are apart, relative to how far logits vary; NaN where something is no number. */
export async function pathDifference(runner: Runner, contextLength: number): Promise<number> {
  const { vocabSize } = runner.decoder.spec;
  // Few rows on processors, whose chunks are narrow because every row costs them.
  const tokenIds = Array.from({ length: Math.min(TOKENS, contextLength, runner.prefillRows / 8) }, (_, i) => (i * 7919 + 13) % vocabSize);
  const last = tokenIds.length - 1;
  const isRecurrent = hasStates(runner.decoder.spec);
  // All reads under way at once: some browsers take a tenth of a second to notice that one is done.
  const reads = [runner.forwardPrefilled(tokenIds, 0)];
  if (isRecurrent && last > 0) runner.prefill(tokenIds.slice(0, last), 0); // a state has to go back; the cache holds these rows already
  reads.push(runner.forward(tokenIds[last], last));
  if (!isRecurrent) {
    for (const position of runner.splitStarts.filter((start) => start > last)) {
      reads.push(runner.forwardPrefilled([tokenIds[0]], position), runner.forward(tokenIds[0], position));
    }
  }
  await Promise.allSettled(reads); // each frees what it read into, also where another failed
  const logits = await Promise.all(reads);
  const differences = Array.from({ length: logits.length / 2 }, (_, pair) => relativeDifference(logits[2 * pair], logits[2 * pair + 1]));
  return differences.some(Number.isNaN) ? NaN : Math.max(...differences);
}

/** How far two vectors are apart, relative to how far the values of the first vary. */
export function relativeDifference(expected: Float32Array, found: Float32Array): number {
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  let difference = 0;
  let spread = 0;
  for (const [i, value] of expected.entries()) {
    difference += (found[i] - value) ** 2;
    spread += (value - mean) ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / spread); // a model of zeros has no spread
}
