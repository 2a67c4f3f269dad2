import { submitDispatches, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { timePasses, type TimedPass } from "../gpu/pass_times.ts";
import { readBuffer } from "../gpu/readback.ts";
import { createActivations, freeActivations } from "../kernels/activations.ts";
import { createDecodePlan } from "../kernels/decode_plan.ts";
import { layerMatrices } from "../kernels/decoder_weights.ts";
import { hasStates } from "../kernels/kv_cache.ts";
import type { Decoder } from "../kernels/layer_steps.ts";
import { workgroupCount } from "../kernels/matmul.ts";
import { embedRows } from "../kernels/prefill_plan.ts";
import { createSamplerState, freeSampler, type SamplerState } from "../kernels/sampler_state.ts";
import { cutSchedule, type ProductCut, type Schedule } from "../kernels/schedule.ts";
import { matrixBytes } from "../quant/matrix.ts";
import { relativeDifference } from "./self_test.ts";

const LEAST_GAIN = 0.03; // less may be noise
const TOLERANCE = 0.01; // rounding makes 1e-4; a kernel that leaves out one block of columns makes 1
const ROUNDS = 3; // of which each cut's best counts
const PASS_MS = 5; // browsers round timestamps to 0.1 ms
const TIMING_MS = 120; // of the budget, kept for timing what was prepared
const LARGER_THAN_CACHES = 128 * 2 ** 20; // bytes of weights; else a second reading would find them in a cache
const LENGTH = 512; // tokens of the sequence that is decoded

/** The cut to use, and how it compared. */
export interface MeasuredCut {
  cut: ProductCut;
  /** Part of a token's GPU time that it saves over the usual cut. */
  gain: number;
  /** Cuts that were timed beside the usual one. */
  timed: number;
}

/** A cut with the dispatches that it makes of a token: of some of its layers, and of its head. */
interface CutPlan {
  cut: ProductCut;
  layers: readonly Dispatch[];
  head: readonly Dispatch[];
}

/**
 * Find the fastest of some cuts for decoding this model on this GPU, the usual cut first among them. Takes about `budgetMs`
 * at most: what does not compile, compute rightly or get its turn by then is not taken. Overwrites the cache.
 */
export async function measureCuts(gpu: Gpu, schedule: Schedule, decoder: Decoder, contextLength: number, cuts: readonly ProductCut[], budgetMs: number): Promise<MeasuredCut> {
  const deadline = performance.now() + budgetMs;
  const part = someLayers(decoder);
  const length = hasStates(decoder.spec) ? 1 : Math.min(LENGTH, contextLength); // states start anew at the first token only
  const schedules = cuts.map((cut) => ({ ...schedule, ...cutSchedule(cut, gpu.traits) }));
  const splits = schedule.splits(length);
  const statCount = Math.max(...schedules.map((each) => workgroupCount(each, { matrix: part.weights.head, bias: undefined }, 1)));
  const row = await createActivations(gpu, part.spec, 1, splits, "f32");
  const sampler = await createSamplerState(gpu, 1, part.spec.vocabSize, statCount);
  const compiling: Promise<CutPlan>[] = [];
  try {
    gpu.device.queue.writeBuffer(row.rows, 0, new Uint32Array([0, length - 1, 0, 1]));
    const embed = await embedRows(gpu, part, row);
    const prepare = async (index: number): Promise<CutPlan> => {
      const { layers, head } = await createDecodePlan(gpu, schedules[index], part, row, sampler, splits);
      return { cut: cuts[index], layers: [...embed, ...layers], head };
    };
    // One cut after another: what is not ready in time delays no more of the load than its own kernels.
    const ready: CutPlan[] = [];
    for (const index of cuts.keys()) {
      const plan = prepare(index);
      compiling.push(plan);
      if (!(await settles(plan, deadline - TIMING_MS))) break;
      await plan.then((found) => ready.push(found), () => {}); // a driver may not compile one
    }
    const [usual, ...others] = distinct(ready);
    if (usual?.cut !== cuts[0]) return { cut: cuts[0], gain: 0, timed: 0 };
    const share = decoder.spec.layers.length / part.spec.layers.length;
    const timing = await planTiming(gpu, usual, share);
    const affordable = Math.floor((deadline - performance.now()) / timing.milliseconds) - 1; // the usual one takes its turn too
    const right = affordable < 1 ? [] : await thoseThatAgree(gpu, sampler, usual, others.slice(0, affordable));
    return await fastest(gpu, [usual, ...right], timing, deadline);
  } finally {
    // What was not ready in time still binds these buffers when it is.
    void Promise.allSettled(compiling).then(() => {
      freeActivations(gpu, row);
      freeSampler(gpu, sampler);
    });
  }
}

/** The first layers, as many as no cache holds; all where the layers share what is as wide as their number. */
function someLayers(decoder: Decoder): Decoder {
  const { spec, weights } = decoder;
  if (spec.perLayer || spec.altup) return decoder;
  let bytes = 0;
  const enough = weights.layers.findIndex((layer) => {
    bytes += layerMatrices(layer).reduce((sum, matrix) => sum + matrixBytes(matrix), 0);
    return bytes >= LARGER_THAN_CACHES;
  });
  return enough === -1 ? decoder : { ...decoder, spec: { ...spec, layers: spec.layers.slice(0, enough + 1) } };
}

/** Whether a promise settles in time. */
async function settles(promise: Promise<unknown>, time: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, time - performance.now(), false)));
  try {
    return await Promise.race([promise.then(() => true, () => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Plans that differ: for some shapes two cuts come to the same kernels. */
function distinct(plans: readonly CutPlan[]): CutPlan[] {
  const isSame = (a: CutPlan, b: CutPlan) => [...a.layers, ...a.head].every(({ pipeline }, i) => pipeline === [...b.layers, ...b.head][i].pipeline);
  return plans.filter((plan, index) => !plans.slice(0, index).some((earlier) => isSame(earlier, plan)));
}

/** How often a plan's layers and its head run in a pass, how much of a token each such pass is, and what both take. */
interface Timing {
  repeats: { layers: number; head: number };
  /** Tokens' worth of layers in one pass over some of them. */
  share: number;
  milliseconds: number;
}

async function planTiming(gpu: Gpu, usual: CutPlan, share: number): Promise<Timing> {
  const once = passesOf(usual, { layers: 1, head: 1 });
  const { milliseconds: [, , layersMs, headMs] } = await timePasses(gpu, [...once, ...once]); // the first time a GPU may still be asleep
  const repeat = (ms: number) => Math.max(1, Math.ceil(PASS_MS / Math.max(ms, 0.1)));
  const repeats = { layers: repeat(layersMs), head: repeat(headMs) };
  return { repeats, share, milliseconds: Math.max(1, repeats.layers * layersMs + repeats.head * headMs) };
}

function passesOf({ layers, head }: CutPlan, repeats: Timing["repeats"]): TimedPass[] {
  const pass = (dispatches: readonly Dispatch[], count: number) => ({ label: "tune", prepare: () => {}, lists: Array.from({ length: count }, () => dispatches) });
  return [pass(layers, repeats.layers), pass(head, repeats.head)];
}

/** The plans whose logits are those of the usual one. */
async function thoseThatAgree(gpu: Gpu, { logits, vocabSize }: SamplerState, usual: CutPlan, others: readonly CutPlan[]): Promise<CutPlan[]> {
  const reads = [usual, ...others].map(({ layers, head }) => {
    submitDispatches(gpu.device, "tune check", layers, head);
    return gpu.untilLost(readBuffer(gpu.device, logits, vocabSize * 4)); // its copy is submitted before the next plan runs
  });
  await Promise.allSettled(reads); // each frees what it read into, also where another failed
  const [expected, ...found] = (await Promise.all(reads)).map((bytes) => new Float32Array(bytes));
  return others.filter((_, index) => relativeDifference(expected, found[index]) <= TOLERANCE);
}

async function fastest(gpu: Gpu, plans: readonly CutPlan[], { repeats, share, milliseconds }: Timing, deadline: number): Promise<MeasuredCut> {
  const [usual, ...others] = plans;
  const best = plans.map(() => Infinity);
  let roundMs = milliseconds * plans.length;
  for (let round = 0; others.length > 0 && round < ROUNDS && performance.now() + roundMs <= deadline; round++) {
    const started = performance.now();
    const times = await timePasses(gpu, plans.flatMap((plan) => passesOf(plan, repeats)));
    for (let i = 0; i < plans.length; i++) {
      const [layersMs, headMs] = times.milliseconds.slice(2 * i, 2 * i + 2);
      best[i] = Math.min(best[i], (share * layersMs) / repeats.layers + headMs / repeats.head);
    }
    roundMs = performance.now() - started;
  }
  const least = Math.min(...best);
  const gain = least < Infinity ? 1 - least / best[0] : 0;
  const isTimed = best[0] < Infinity;
  return { cut: gain >= LEAST_GAIN ? plans[best.indexOf(least)].cut : usual.cut, gain: gain >= LEAST_GAIN ? gain : 0, timed: isTimed ? others.length : 0 };
}
