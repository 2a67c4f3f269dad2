import type { Gpu } from "../gpu/gpu.ts";
import type { Activations } from "./activations.ts";
import { attentionGate, attentionPrefill, ropeAppend } from "./attention.ts";
import { normalised, type LayerStep } from "./branch.ts";
import { decoderSteps, type Decoder } from "./layer_steps.ts";
import { matmulTile, type MatmulStep, type RowDispatch } from "./matmul.ts";
import { isPackable, matmulPacked } from "./matmul_packed.ts";
import { addPositions } from "./positions.ts";
import { rowStep } from "./row_step.ts";
import { embed } from "./sample.ts";
import type { Schedule } from "./schedule.ts";

/** A forward pass over a chunk of consecutive rows of one sequence, up to the residual stream after the last layer. */
export type PrefillPlan = readonly RowDispatch[];

/** Prepare the prefill of up to `activations.M` rows. */
export async function createPrefillPlan(gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations): Promise<PrefillPlan> {
  const plan = await embedRows(gpu, decoder, activations);
  for (const step of decoderSteps(decoder, activations)) plan.push(...(await prefillStep(gpu, schedule, activations, step)));
  return plan;
}

/** Prepare the residual stream of rows whose token ids and positions are known. */
export async function embedRows(gpu: Gpu, { spec, weights }: Decoder, { M, hidden, rows }: Activations): Promise<RowDispatch[]> {
  const embedded = await embed(gpu, { M, embedding: weights.embedding, embeddingScale: spec.embeddingScale, hidden, rows });
  return [...embedded, ...(await addPositions(gpu, weights.positions, M, hidden, rows))];
}

async function prefillStep(gpu: Gpu, schedule: Schedule, activations: Activations, step: LayerStep): Promise<RowDispatch[]> {
  if (step.kind === "matmul") return matmulRows(gpu, schedule, activations, step.step);
  if (step.kind !== "attention") return rowStep(gpu, schedule, step);
  return [await ropeAppend(gpu, step.step), await attentionPrefill(gpu, step.step), ...(await attentionGate(gpu, step.step)), ...(await matmulRows(gpu, schedule, activations, step.output))];
}

function matmulRows(gpu: Gpu, schedule: Schedule, { M, rows, packed }: Activations, step: MatmulStep): Promise<RowDispatch[]> {
  return isPackable(step.weights.matrix, packed) ? matmulPacked(gpu, step, packed, M, rows) : matmulTile(gpu, schedule.tile, step, M, rows);
}

/** Prepare the logits of every row of a chunk, for callers who ask for logits rather than text. */
export async function createLogitsPlan(gpu: Gpu, schedule: Schedule, decoder: Decoder, activations: Activations, logits: GPUBuffer): Promise<PrefillPlan> {
  const { spec, weights } = decoder;
  const { before, input } = normalised(activations, weights.finalNorm, "final");
  const output = { kind: "store", buffer: logits, stride: spec.vocabSize, cap: spec.logitCap } as const;
  const head: LayerStep = { kind: "matmul", step: { label: "logits", weights: { matrix: weights.head, bias: weights.headBias }, input, output } };
  const plan: RowDispatch[] = [];
  for (const step of [...before, head]) plan.push(...(await prefillStep(gpu, schedule, activations, step)));
  return plan;
}

/** Cut a plan to the rows that a chunk really has. */
export function planForRows(plan: PrefillPlan, rows: number): RowDispatch[] {
  return plan.map((dispatch) => ({
    ...dispatch,
    workgroups: [dispatch.workgroups[0], Math.ceil(rows / dispatch.rowsPerWorkgroup), 1],
  }));
}
