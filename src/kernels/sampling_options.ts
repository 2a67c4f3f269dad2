import type { ResolvedSampling } from "../sampling/options.ts";

/** Sequences that can be in flight at once. */
export const MAX_SLOTS = 8;

/** Stop tokens that the GPU checks by itself; the CPU checks all of them when it reads the tokens. */
export const MAX_STOP_IDS = 16;

/** Bytes of one entry of `SamplingOptions` in shaders/lib/sampling_options.wgsl. */
export const SAMPLING_BYTES = 112;

const OFF = -3e38; // a logarithm that no logit falls under

/** Lay out one sequence's options as the shader reads them. */
export function packSampling(sampling: ResolvedSampling, limit: number, stopIds: readonly number[]): ArrayBuffer {
  const bytes = new ArrayBuffer(SAMPLING_BYTES);
  const floats = new Float32Array(bytes);
  const words = new Uint32Array(bytes);
  const onGpu = stopIds.slice(0, MAX_STOP_IDS);
  const { temperature, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, topK, seed } = sampling;
  floats.set([temperature, topP, minP > 0 ? Math.log(minP) : OFF, repetitionPenalty, presencePenalty, frequencyPenalty]);
  const penalised = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
  words.set([topK, seed, limit, Number(penalised), onGpu.length, 0, ...onGpu], 6);
  return bytes;
}
