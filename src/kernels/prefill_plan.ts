import type { Gpu } from "../gpu/gpu.ts";
import type { Activations } from "./activations.ts";
import { attentionPrefill, ropeAppend } from "./attention.ts";
import { layerSteps, type Decoder } from "./layer_steps.ts";
import { matmulTile, type RowDispatch } from "./matmul.ts";
import { embed } from "./sample.ts";
import type { Schedule } from "./schedule.ts";

/** A forward pass over a chunk of consecutive rows of one sequence, up to the residual stream after the last layer. */
export type PrefillPlan = readonly RowDispatch[];

/** Prepare the prefill of up to `activations.M` rows. */
export async function createPrefillPlan(gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations): Promise<PrefillPlan> {
  const { spec, weights } = decoder;
  const { M, hidden, rows } = activations;
  const plan = await embed(gpu, { M, embedding: weights.embedding, embeddingScale: spec.embeddingScale, hidden, rows });
  for (let index = 0; index < spec.layers.length; index++) {
    const steps = layerSteps(decoder, activations, index);
    plan.push(
      ...(await matmulTile(gpu, schedule, steps.qkv)),
      await ropeAppend(gpu, steps.attention),
      await attentionPrefill(gpu, steps.attention),
      ...(await matmulTile(gpu, schedule, steps.output)),
      ...(await matmulTile(gpu, schedule, steps.gateUp)),
      ...(await matmulTile(gpu, schedule, steps.down)),
    );
  }
  return plan;
}

/** Prepare the logits of every row of a chunk, for callers who ask for logits rather than text. */
export async function createLogitsPlan(gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations, logits: GPUBuffer): Promise<PrefillPlan> {
  const { spec, weights } = decoder;
  return matmulTile(gpu, schedule, {
    label: "logits",
    weights: { matrix: weights.head, bias: undefined },
    input: { kind: "rms", buffer: activations.hidden, gains: weights.finalNorm, width: spec.hiddenSize, epsilon: spec.rmsNormEps },
    output: { kind: "store", buffer: logits, stride: spec.vocabSize },
  });
}

/** Cut a plan to the rows that a chunk really has. */
export function planForRows(plan: PrefillPlan, rows: number): RowDispatch[] {
  return plan.map((dispatch) => ({
    ...dispatch,
    workgroups: [dispatch.workgroups[0], Math.ceil(rows / dispatch.rowsPerWorkgroup), 1],
  }));
}
