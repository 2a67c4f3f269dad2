import type { Gpu } from "../gpu/gpu.ts";
import type { ResolvedSampling } from "../sampling/options.ts";
import { RING_TOKENS, shortlistBytes } from "./sample.ts";
import { MAX_SLOTS, packSampling, SAMPLING_BYTES } from "./sampling_options.ts";

const IN_PROMPT = 0x8000_0000; // as in shaders/lib/sampling_options.wgsl

/** What sampling remembers between tokens. */
export interface SamplerState {
  vocabSize: number;
  logits: GPUBuffer; // f32 [M, logitStride]
  logitStride: number;
  stats: GPUBuffer; // [M, statCount] of (logit, token id + 1)
  shortlists: GPUBuffer; // [M] of shortlistBytes
  ring: GPUBuffer; // u32 [slots, RING_TOKENS + 1]
  seen: GPUBuffer; // u32 [slots, vocabSize]
  options: GPUBuffer; // uniform, [slots] of SamplingOptions
}

/** Bytes of one sequence's ring: its tokens, then how many there were. */
export const RING_BYTES = (RING_TOKENS + 1) * 4;

/** Allocate the sampler's buffers for `M` rows and all slots. */
export async function createSamplerState(gpu: Gpu, M: number, vocabSize: number, statCount: number): Promise<SamplerState> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const logitStride = Math.ceil(vocabSize / 4) * 4;
  return {
    vocabSize,
    logitStride,
    logits: await gpu.allocate("logits", M * logitStride * 4, usage),
    stats: await gpu.allocate("logit stats", M * statCount * 8, usage),
    shortlists: await gpu.allocate("sampling shortlists", M * shortlistBytes(vocabSize), usage),
    ring: await gpu.allocate("token ring", MAX_SLOTS * RING_BYTES, usage),
    seen: await gpu.allocate("seen tokens", MAX_SLOTS * vocabSize * 4, usage),
    options: await gpu.allocate("sampling options", MAX_SLOTS * SAMPLING_BYTES, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST),
  };
}

/** Free the sampler's buffers. */
export function freeSampler(gpu: Gpu, { logits, stats, shortlists, ring, seen, options }: SamplerState): void {
  gpu.free(logits, stats, shortlists, ring, seen, options);
}

/** What a new answer starts from. */
export interface SamplingStart {
  sampling: ResolvedSampling;
  limit: number;
  stopIds: readonly number[];
  promptIds: readonly number[];
  /** Tokens of the answer that were sampled already, on a device that is gone. */
  answerIds?: readonly number[];
}

/** Begin an answer in a slot, or go on with it: forget the last one's tokens, and mark the prompt's and those of the answer. */
export function beginSampling({ device }: Gpu, state: SamplerState, slot: number, { sampling, limit, stopIds, promptIds, answerIds = [] }: SamplingStart): void {
  const seen = new Uint32Array(state.vocabSize);
  for (const id of promptIds) seen[id] = IN_PROMPT;
  for (const id of answerIds) seen[id]++;
  const ring = new Uint32Array(RING_TOKENS + 1);
  ring[RING_TOKENS] = answerIds.length; // also the step that the random numbers of the next token depend on
  device.queue.writeBuffer(state.seen, slot * state.vocabSize * 4, seen);
  device.queue.writeBuffer(state.ring, slot * RING_BYTES, ring);
  device.queue.writeBuffer(state.options, slot * SAMPLING_BYTES, packSampling(sampling, limit, stopIds));
}
