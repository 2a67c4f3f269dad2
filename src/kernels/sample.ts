import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { weightBindings, weightConstants, weightShaderParts, type Matrix, type MatrixPart } from "../quant/matrix.ts";
import embedShader from "../../shaders/embed.wgsl?raw";
import candidate from "../../shaders/lib/candidate.wgsl?raw";
import embedNone from "../../shaders/lib/embed_none.wgsl?raw";
import embedRow from "../../shaders/lib/embed_row.wgsl?raw";
import random from "../../shaders/lib/random.wgsl?raw";
import samplingOptions from "../../shaders/lib/sampling_options.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import sampleShader from "../../shaders/sample.wgsl?raw";
import type { RowDispatch } from "./matmul.ts";

/** Token ids that the ring holds before it overwrites the oldest; far more than are ever ahead of the reader. */
export const RING_TOKENS = 256;

/** What sampling works on. */
export interface SampleStep {
  M: number;
  vocabSize: number;
  logits: GPUBuffer; // f32 [M, logitStride]
  logitStride: number;
  stats: GPUBuffer; // [M, statCount] of (logit, token id + 1)
  statCount: number;
  ring: GPUBuffer; // u32 [slots, RING_TOKENS + 1]
  seen: GPUBuffer; // u32 [slots, vocabSize]
  sampling: GPUBuffer; // uniform
  rows: GPUBuffer; // u32 [M, 4]
  hidden: GPUBuffer; // f32 [M, hiddenSize, padded]
  embedding: Matrix;
  embeddingScale: number;
}

/** Prepare sampling and the embedding of what was sampled: one dispatch, or more when the table lies in parts. */
export async function sampleAndEmbed(gpu: Gpu, step: SampleStep): Promise<Dispatch[]> {
  const { parts } = step.embedding;
  if (parts.length === 1) return [await sample(gpu, step, parts[0])];
  return [await sample(gpu, step, undefined), ...(await embed(gpu, step))];
}

async function sample(gpu: Gpu, step: SampleStep, part: MatrixPart | undefined): Promise<Dispatch> {
  const code = assembleShader(
    [candidate, samplingOptions, random, ...(part ? [...weightShaderParts(part.format), embedRow] : [embedNone]), sampleShader],
    {
      M: step.M,
      VOCAB: step.vocabSize,
      OUTPUT_STRIDE: step.logitStride,
      STAT_COUNT: step.statCount,
      STAT_STRIDE: step.statCount,
      RING: RING_TOKENS,
      ...(part ? { ...weightConstants(step.embedding, part), EMBED_SCALE: step.embeddingScale } : {}),
    },
  );
  const pipeline = await gpu.compile("sample", code);
  const table = part && { 4: step.hidden, ...weightBindings(part) };
  const bindings = { 0: step.logits, 1: step.stats, 2: step.ring, 3: step.seen, ...table, 10: step.rows, 11: step.sampling };
  return prepareDispatch(gpu.device, "sample", pipeline, bindings, [step.M, 1, 1]);
}

/** The embedding of rows' token ids. */
export type EmbedStep = Pick<SampleStep, "M" | "embedding" | "embeddingScale" | "hidden" | "rows">;

/** Prepare the embedding of the rows' token ids, one dispatch for each part of the table. */
export async function embed(gpu: Gpu, step: EmbedStep): Promise<RowDispatch[]> {
  const dispatches: RowDispatch[] = [];
  for (const part of step.embedding.parts) {
    const code = assembleShader([...weightShaderParts(part.format), stepPart, embedRow, embedShader], {
      ...weightConstants(step.embedding, part),
      M: step.M,
      EMBED_SCALE: step.embeddingScale,
    });
    const pipeline = await gpu.compile("embed", code);
    const bindings = { 4: step.hidden, ...weightBindings(part), 10: step.rows };
    const dispatch = prepareDispatch(gpu.device, "embed", pipeline, bindings, [1, step.M, 1]);
    dispatches.push({ ...dispatch, rowsPerWorkgroup: 1 });
  }
  return dispatches;
}
