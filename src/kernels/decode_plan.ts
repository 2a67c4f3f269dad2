import type { Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { padColumns } from "../quant/matrix.ts";
import type { Activations } from "./activations.ts";
import { attentionDecode, attentionGate, attentionMerge } from "./attention.ts";
import { normalised, type LayerStep } from "./branch.ts";
import { decoderSteps, type Decoder } from "./layer_steps.ts";
import { workgroupCount, matmulDecode, type MatmulInput } from "./matmul.ts";
import { addPositions } from "./positions.ts";
import { prepareNorms } from "./prepared_norms.ts";
import { rowStep } from "./row_step.ts";
import { sampleAndEmbed, shortlist, type SampleStep } from "./sample.ts";
import { MERGED_SPLITS, type Schedule } from "./schedule.ts";
import type { SamplerState } from "./sampler_state.ts";

/** One decoded token of up to M sequences: walk the layers, then the head, then sample and embed what was sampled. */
export interface DecodePlan {
  layers: readonly Dispatch[];
  /** The head after these layers. */
  head: readonly Dispatch[];
  /** The head alone, for the last row of a prefill. */
  prefillHead: readonly Dispatch[];
  /** What comes before sampling with a temperature. */
  shortlist: readonly Dispatch[];
  sample: readonly Dispatch[];
}

/** Prepare a decode plan whose attention comes in `splits` parts. */
export async function createDecodePlan(
  gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations, sampler: SamplerState, splits: number,
): Promise<DecodePlan> {
  // All at once, so that kernels compile beside each other.
  const prepare = async (steps: readonly LayerStep[]) => (await Promise.all(steps.map((step) => decodeStep(gpu, schedule, activations, step, splits)))).flat();
  const [layerSteps, head] = [decoderSteps(decoder, activations), headSteps(decoder, activations, sampler)];
  const steps = [...layerSteps, ...head];
  const walked = schedule.preparesNorms && activations.M === 1 ? prepareNorms(steps, ({ weights }) => workgroupCount(schedule, weights, 1)) : steps;
  const lists = await Promise.all([walked.slice(0, layerSteps.length), walked.slice(layerSteps.length), head].map(prepare));
  const { M, hidden, rows } = activations;
  const positions = await addPositions(gpu, decoder.weights.positions, M, hidden, rows);
  const step: SampleStep = {
    M,
    vocabSize: decoder.spec.vocabSize,
    logits: sampler.logits,
    logitStride: sampler.logitStride,
    stats: sampler.stats,
    statCount: workgroupCount(schedule, { matrix: decoder.weights.head, bias: undefined }, M),
    shortlists: sampler.shortlists,
    ring: sampler.ring,
    seen: sampler.seen,
    sampling: sampler.options,
    rows: activations.rows,
    hidden: activations.hidden,
    embedding: decoder.weights.embedding,
    embeddingScale: decoder.spec.embeddingScale,
  };
  const [shortlisting, sample] = await Promise.all([shortlist(gpu, step), sampleAndEmbed(gpu, step)]);
  return { layers: lists[0], head: lists[1], prefillHead: lists[2], shortlist: shortlisting, sample: [...sample, ...positions] };
}

/** One dispatch for most steps; attention brings its output projection, which can merge a few parts while it reads. */
async function decodeStep(gpu: Gpu, schedule: Schedule, activations: Activations, step: LayerStep, splits: number): Promise<Dispatch[]> {
  const { M, rows, partials, splitStats } = activations;
  if (step.kind === "matmul") return matmulDecode(gpu, schedule, step.step, M, rows);
  if (step.kind !== "attention") return rowStep(gpu, schedule, step);
  const { heads, headDim, isGated } = step.step.attention;
  const mergeWhileReading = splits > 1 && splits <= MERGED_SPLITS && !isGated && step.output.input.kind === "plain"; // gates and norms need the merged result
  const merge: MatmulInput = { kind: "merge", buffer: partials, splitStats, heads, headDim, splits };
  return [
    await attentionDecode(gpu, schedule, step.step, splits, partials, splitStats),
    ...(splits > 1 && !mergeWhileReading ? [await attentionMerge(gpu, step.step, splits, partials, splitStats)] : []),
    ...(await attentionGate(gpu, step.step)),
    ...(await matmulDecode(gpu, schedule, mergeWhileReading ? { ...step.output, input: merge } : step.output, M, rows)),
  ];
}

function headSteps({ spec, weights }: Decoder, activations: Activations, sampler: SamplerState): LayerStep[] {
  const { before, input } = normalised(activations, weights.finalNorm, "final");
  const { logits, logitStride, stats, seen, options } = sampler;
  const output = { kind: "logits", buffer: logits, stride: logitStride, cap: spec.logitCap, stats, seen, sampling: options } as const;
  return [...before, { kind: "matmul", step: { label: "head", weights: { matrix: weights.head, bias: weights.headBias }, input, output } }];
}

/** Bytes of one row of the residual stream. */
export function hiddenRowBytes(decoder: Decoder): number {
  return padColumns(decoder.spec.hiddenSize) * 4;
}
