import type { Gpu } from "../gpu/gpu.ts";
import type { Activations } from "./activations.ts";
import { attentionPrefill, ropeAppend } from "./attention.ts";
import { layerSteps, type Decoder } from "./layer_steps.ts";
import { matmulTile, type MatmulStep, type RowDispatch } from "./matmul.ts";
import { embed } from "./sample.ts";

/** A forward pass over a chunk of consecutive rows of one sequence, up to the residual stream after the last layer. */
export type PrefillPlan = readonly RowDispatch[];

/** Prepare the prefill of up to `activations.M` rows. */
export async function createPrefillPlan(gpu: Gpu, decoder: Decoder, activations: Activations): Promise<PrefillPlan> {
  const { spec, weights } = decoder;
  const { M, hidden, rows } = activations;
  const plan = await embed(gpu, { M, embedding: weights.embedding, embeddingScale: spec.embeddingScale, hidden, rows });
  for (let index = 0; index < spec.layers.length; index++) {
    const steps = layerSteps(decoder, activations, index);
    plan.push(
      ...(await matmulTile(gpu, steps.qkv, M, rows)),
      await ropeAppend(gpu, steps.attention),
      await attentionPrefill(gpu, steps.attention),
      ...(await matmulTile(gpu, steps.output, M, rows)),
      ...(await matmulTile(gpu, steps.gateUp, M, rows)),
      ...(await matmulTile(gpu, steps.down, M, rows)),
    );
  }
  return plan;
}

/** Prepare the logits of every row of a chunk, for callers who ask for logits rather than text. */
export async function createLogitsPlan(gpu: Gpu, decoder: Decoder, activations: Activations, logits: GPUBuffer): Promise<PrefillPlan> {
  const { spec, weights } = decoder;
  const step: MatmulStep = {
    label: "logits",
    weights: { matrix: weights.head, bias: undefined },
    input: { kind: "rms", buffer: activations.hidden, gains: weights.finalNorm, width: spec.hiddenSize, epsilon: spec.rmsNormEps },
    output: { kind: "store", buffer: logits, stride: spec.vocabSize },
  };
  return matmulTile(gpu, step, activations.M, activations.rows);
}

/** Cut a plan to the rows that a chunk really has. */
export function planForRows(plan: PrefillPlan, rows: number): RowDispatch[] {
  return plan.map((dispatch) => ({
    ...dispatch,
    workgroups: [dispatch.workgroups[0], Math.ceil(rows / dispatch.rowsPerWorkgroup), 1],
  }));
}
