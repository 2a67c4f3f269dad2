import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { weightBindings, weightConstants, weightShaderParts, type Matrix, type MatrixPart } from "../quant/matrix.ts";
import embedShader from "../../shaders/embed.wgsl?raw";
import bestOfWorkgroup from "../../shaders/lib/best_of_workgroup.wgsl?raw";
import bestStat from "../../shaders/lib/best_stat.wgsl?raw";
import candidate from "../../shaders/lib/candidate.wgsl?raw";
import draw from "../../shaders/lib/draw.wgsl?raw";
import drawnRow from "../../shaders/lib/drawn_row.wgsl?raw";
import embedNone from "../../shaders/lib/embed_none.wgsl?raw";
import embedRow from "../../shaders/lib/embed_row.wgsl?raw";
import random from "../../shaders/lib/random.wgsl?raw";
import runningSums from "../../shaders/lib/running_sums.wgsl?raw";
import samplingOptions from "../../shaders/lib/sampling_options.wgsl?raw";
import shortlistPart from "../../shaders/lib/shortlist.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import sampleShader from "../../shaders/sample.wgsl?raw";
import sampleCountShader from "../../shaders/sample_count.wgsl?raw";
import sampleShortlistShader from "../../shaders/sample_shortlist.wgsl?raw";
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
  shortlists: GPUBuffer; // [M] of shortlistBytes
  ring: GPUBuffer; // u32 [slots, RING_TOKENS + 1]
  seen: GPUBuffer; // u32 [slots, vocabSize]
  sampling: GPUBuffer; // uniform
  rows: GPUBuffer; // u32 [M, 4]
  hidden: GPUBuffer; // f32 [M, hiddenSize, padded]
  embedding: Matrix;
  embeddingScale: number;
}

const SHORTLIST_SPAN = 2048; // SPAN and BINS of shaders/lib/shortlist.wgsl
const SHORTLIST_BINS = 256;

function shortlistGroups(vocabSize: number): number {
  return Math.ceil(vocabSize / SHORTLIST_SPAN);
}

/** Bytes of what sampling narrows a row's logits down to: `Shortlist` in shaders/lib/shortlist.wgsl. */
export function shortlistBytes(vocabSize: number): number {
  return 12 + 12 * SHORTLIST_BINS + 8 * (shortlistGroups(vocabSize) + vocabSize);
}

/** Prepare what `sampleAndEmbed` takes first wherever a row's temperature is not zero: its logits narrowed down, by the whole GPU. */
export async function shortlist(gpu: Gpu, { M, vocabSize, logits, logitStride, stats, statCount, shortlists, ring, rows, sampling }: SampleStep): Promise<Dispatch[]> {
  const constants = { M, VOCAB: vocabSize, OUTPUT_STRIDE: logitStride, GROUPS: shortlistGroups(vocabSize) };
  const parts = [candidate, samplingOptions, stepPart, drawnRow, shortlistPart, bestOfWorkgroup];
  const count = assembleShader([...parts, bestStat, sampleCountShader], { ...constants, STAT_COUNT: statCount, STAT_STRIDE: statCount });
  const narrow = assembleShader([...parts, random, draw, runningSums, sampleShortlistShader], { ...constants, RING: RING_TOKENS });
  const [countPipeline, narrowPipeline] = await Promise.all([gpu.compile("sample_count", count), gpu.compile("sample_shortlist", narrow)]);
  const bindings = { 0: logits, 5: shortlists, 10: rows, 11: sampling };
  const workgroups = [constants.GROUPS, M, 1] as const;
  return [
    prepareDispatch(gpu.device, "sample_count", countPipeline, { ...bindings, 1: stats }, workgroups),
    prepareDispatch(gpu.device, "sample_shortlist", narrowPipeline, { ...bindings, 2: ring }, workgroups),
  ];
}

/** Prepare sampling and the embedding of what was sampled: one dispatch, or more when the table lies in parts. */
export async function sampleAndEmbed(gpu: Gpu, step: SampleStep): Promise<Dispatch[]> {
  const { parts } = step.embedding;
  if (parts.length === 1) return [await sample(gpu, step, parts[0])];
  return [await sample(gpu, step, undefined), ...(await embed(gpu, step))];
}

async function sample(gpu: Gpu, step: SampleStep, part: MatrixPart | undefined): Promise<Dispatch> {
  const code = assembleShader(
    [candidate, samplingOptions, random, shortlistPart, draw, bestOfWorkgroup, bestStat, runningSums, ...(part ? [...weightShaderParts(part.format), embedRow] : [embedNone]), sampleShader],
    {
      M: step.M,
      VOCAB: step.vocabSize,
      GROUPS: shortlistGroups(step.vocabSize),
      STAT_COUNT: step.statCount,
      STAT_STRIDE: step.statCount,
      RING: RING_TOKENS,
      ...(part ? { ...weightConstants(step.embedding, part), EMBED_SCALE: step.embeddingScale } : {}),
    },
  );
  const pipeline = await gpu.compile("sample", code);
  const table = part && { 4: step.hidden, ...weightBindings(part) };
  const bindings = { 1: step.stats, 2: step.ring, 3: step.seen, 5: step.shortlists, ...table, 10: step.rows, 11: step.sampling };
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
