import type { Dispatch } from "../../src/gpu/dispatch.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { Uploader } from "../../src/gpu/upload.ts";
import { workgroupCount, matmulDecode } from "../../src/kernels/matmul.ts";
import { RING_TOKENS, sampleAndEmbed, shortlist } from "../../src/kernels/sample.ts";
import { beginSampling, createSamplerState, type SamplerState, type SamplingStart } from "../../src/kernels/sampler_state.ts";
import type { Schedule } from "../../src/kernels/schedule.ts";
import { padColumns } from "../../src/quant/matrix.ts";
import { resolveSampling, type SamplingOptions } from "../../src/sampling/options.ts";
import { gumbel } from "../../src/sampling/random.ts";
import { candidateThreshold } from "../../src/sampling/sampler.ts";
import { striped } from "../reference/striped.ts";
import { bufferOf, readFloats, rowsBuffer, type Row } from "./kernel_runs.ts";
import { matrixOf, withBindingLimit, type StoredModule } from "./random_matrix.ts";

/** One sequence under test. */
export interface Sequence {
  slot: number;
  options: SamplingOptions;
  promptIds?: readonly number[];
  stopIds?: readonly number[];
  limit?: number;
  hasEnded?: boolean;
}

/** A head and a sampler on the GPU. */
export interface SamplingSetting {
  M: number;
  vocabSize: number;
  rows: GPUBuffer;
  /** What sampling embeds into, `[M, embedding columns]`, striped. */
  hidden: GPUBuffer;
  sampler: SamplerState;
  /** One step: the head, then sampling. */
  dispatches: readonly Dispatch[];
}

interface SamplingParts {
  head: StoredModule;
  embedding: StoredModule;
  embeddingScale: number;
  /** The head's inputs, `[M, head columns]`. */
  inputs: Float32Array<ArrayBuffer>;
  /** Whether what is sampled is the next step's input. */
  feedsBack: boolean;
  bindingLimit?: number;
}

/** The position of every row before the first step. */
export const FIRST_POSITION = 17;

/** Make a head and a sampler, and begin all sequences. */
export async function samplingSetting(gpu: Gpu, schedule: Schedule, sequences: readonly Sequence[], parts: SamplingParts): Promise<SamplingSetting> {
  const M = sequences.length;
  const vocabSize = parts.head.rows;
  const limited = parts.bindingLimit ? withBindingLimit(gpu, parts.bindingLimit) : gpu;
  const uploader = await Uploader.create(gpu);
  const head = { matrix: await matrixOf(gpu, uploader, parts.head, limited), bias: undefined };
  const embedding = await matrixOf(gpu, uploader, parts.embedding, limited);
  uploader.destroy();
  const statCount = workgroupCount(schedule, head, M);
  const sampler = await createSamplerState(gpu, M, vocabSize, statCount);
  const rows = await rowsBuffer(gpu, sequences.map(({ slot, hasEnded }): Row => ({ slot, position: FIRST_POSITION, tokenId: 3, runs: !hasEnded })));
  for (const sequence of sequences) beginSampling(gpu, sampler, sequence.slot, startOf(sequence));
  const inputs = await bufferOf(gpu, "inputs", striped(parts.inputs, padColumns(parts.head.columns)));
  const hidden = parts.feedsBack ? inputs : await bufferOf(gpu, "hidden", new Float32Array(M * padColumns(parts.embedding.columns)));
  const { logits, logitStride, stats, shortlists, seen, ring, options } = sampler;
  const headStep = {
    label: "head",
    weights: head,
    input: { kind: "plain", buffer: inputs },
    output: { kind: "logits", buffer: logits, stride: logitStride, stats, seen, sampling: options },
  } as const;
  const sampleStep = { M, vocabSize, logits, logitStride, stats, statCount, shortlists, ring, seen, sampling: options, rows, hidden, embedding, embeddingScale: parts.embeddingScale };
  const dispatches = [...(await matmulDecode(gpu, schedule, headStep, M, rows)), ...(await shortlist(gpu, sampleStep)), ...(await sampleAndEmbed(gpu, sampleStep))];
  return { M, vocabSize, rows, hidden, sampler, dispatches };
}

function startOf({ options, promptIds = [], stopIds = [], limit = 10_000 }: Sequence): SamplingStart {
  return { sampling: resolveSampling({ seed: 7, ...options }), promptIds, stopIds, limit };
}

/** Every row's logits as the last step left them. */
export async function readLogits(gpu: Gpu, { M, vocabSize, sampler }: SamplingSetting): Promise<Float32Array[]> {
  const all = await readFloats(gpu, sampler.logits, M * sampler.logitStride);
  return Array.from({ length: M }, (_, m) => all.slice(m * sampler.logitStride, m * sampler.logitStride + vocabSize));
}

/** A slot's ring: what it holds, and how many tokens were ever written. */
export async function readRing(gpu: Gpu, { sampler }: SamplingSetting, slot: number): Promise<{ tokenIds: Uint32Array; count: number }> {
  const bytes = (RING_TOKENS + 1) * 4;
  const ring = new Uint32Array(await readBuffer(gpu.device, sampler.ring, bytes, slot * bytes));
  return { tokenIds: ring.subarray(0, RING_TOKENS), count: ring[RING_TOKENS] };
}

/** What the step's rows have become: slot, position, token id, whether it runs. */
export async function readRows(gpu: Gpu, { rows, M }: SamplingSetting): Promise<number[][]> {
  const words = new Uint32Array(await readBuffer(gpu.device, rows, 16 * M));
  return Array.from({ length: M }, (_, m) => [...words.subarray(4 * m, 4 * m + 4)]);
}

/** By how much the best score beats the second best, as the CPU's sampler scores them. */
export function margin(logits: Float32Array, options: SamplingOptions, step: number): number {
  const sampling = resolveSampling({ seed: 7, ...options });
  const { temperature, seed } = sampling;
  const threshold = candidateThreshold(logits, sampling);
  const scores = Array.from(logits, (logit, id) => {
    if (temperature === 0) return logit;
    return logit >= threshold ? logit / temperature + gumbel(seed, step, id) : -Infinity;
  });
  const [best, second] = scores.sort((a, b) => b - a);
  return best - second;
}
