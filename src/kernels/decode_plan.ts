import type { Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { padColumns } from "../quant/matrix.ts";
import type { Activations } from "./activations.ts";
import { attentionDecode, attentionMerge } from "./attention.ts";
import { layerSteps, type Decoder } from "./layer_steps.ts";
import { logitStatCount, matmulVec, type MatmulInput, type MatmulStep } from "./matmul.ts";
import { sampleAndEmbed } from "./sample.ts";
import { MERGED_SPLITS, type Schedule } from "./schedule.ts";
import type { SamplerState } from "./sampler_state.ts";

/** One decoded token of up to M sequences: walk the layers, then the head, then sample and embed what was sampled. */
export interface DecodePlan {
  layers: readonly Dispatch[];
  /** The head alone, for the last row of a prefill. */
  head: readonly Dispatch[];
  sample: readonly Dispatch[];
}

/** Prepare a decode plan whose attention comes in `splits` parts. */
export async function createDecodePlan(
  gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations, sampler: SamplerState, splits: number,
): Promise<DecodePlan> {
  const layers: Dispatch[] = [];
  for (let index = 0; index < decoder.spec.layers.length; index++) {
    layers.push(...(await decodeLayer(gpu, schedule, decoder, activations, index, splits)));
  }
  const head = await matmulVec(gpu, schedule, headStep(decoder, activations, sampler), activations.M, activations.rows);
  const sample = await sampleAndEmbed(gpu, {
    M: activations.M,
    vocabSize: decoder.spec.vocabSize,
    logits: sampler.logits,
    logitStride: sampler.logitStride,
    stats: sampler.stats,
    statCount: logitStatCount(schedule, { matrix: decoder.weights.head, bias: undefined }),
    ring: sampler.ring,
    seen: sampler.seen,
    sampling: sampler.options,
    rows: activations.rows,
    hidden: activations.hidden,
    embedding: decoder.weights.embedding,
    embeddingScale: decoder.spec.embeddingScale,
  });
  return { layers, head, sample };
}

/** Five dispatches; six when attention leaves more parts than the output projection can merge while it reads. */
async function decodeLayer(
  gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations, index: number, splits: number,
): Promise<Dispatch[]> {
  const { M, rows, partials, splitStats } = activations;
  const steps = layerSteps(decoder, activations, index);
  const { heads, headDim } = steps.attention.attention;
  const mergeWhileReading = splits > 1 && splits <= MERGED_SPLITS;
  const merge: MatmulInput = { kind: "merge", buffer: partials, splitStats, heads, headDim, splits };
  const output: MatmulStep = mergeWhileReading ? { ...steps.output, input: merge } : steps.output;
  return [
    ...(await matmulVec(gpu, schedule, steps.qkv, M, rows)),
    await attentionDecode(gpu, schedule, steps.attention, splits, partials, splitStats),
    ...(splits > MERGED_SPLITS ? [await attentionMerge(gpu, steps.attention, splits, partials, splitStats)] : []),
    ...(await matmulVec(gpu, schedule, output, M, rows)),
    ...(await matmulVec(gpu, schedule, steps.gateUp, M, rows)),
    ...(await matmulVec(gpu, schedule, steps.down, M, rows)),
  ];
}

function headStep({ spec, weights }: Decoder, activations: Activations, sampler: SamplerState): MatmulStep {
  return {
    label: "head",
    weights: { matrix: weights.head, bias: undefined },
    input: { kind: "rms", buffer: activations.hidden, gains: weights.finalNorm, width: spec.hiddenSize, epsilon: spec.rmsNormEps },
    output: {
      kind: "logits",
      buffer: sampler.logits,
      stride: sampler.logitStride,
      stats: sampler.stats,
      seen: sampler.seen,
      sampling: sampler.options,
    },
  };
}

/** Bytes of one row of the residual stream. */
export function hiddenRowBytes(decoder: Decoder): number {
  return padColumns(decoder.spec.hiddenSize) * 4;
}
