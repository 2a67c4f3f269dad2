import { HearthError } from "../errors.ts";
import type { BenchmarkOptions, GenerateOptions, LoadOptions } from "../worker/protocol.ts";

// The compiler keeps these lists complete: each must name every key of its type.
const SOURCE: Record<keyof LoadOptions, true> = {
  revision: true,
  token: true,
  endpoint: true,
  store: true,
  storageBudget: true,
  contextLength: true,
  kvCache: true,
  prefillBits: true,
  quantize: true,
  tune: true,
};
const LOAD = { ...SOURCE, onProgress: true, signal: true };
const CHECK = { ...SOURCE, signal: true };
const GENERATE: Record<keyof GenerateOptions | "signal", true> = {
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  presencePenalty: true,
  frequencyPenalty: true,
  seed: true,
  maxTokens: true,
  stop: true,
  templateOptions: true,
  signal: true,
};
const BENCHMARK: Record<keyof BenchmarkOptions | "signal", true> = { promptTokens: true, maxTokens: true, sampling: true, kernels: true, signal: true };

const KNOWN = { loadModel: LOAD, checkModel: CHECK, generate: GENERATE, benchmark: BENCHMARK };

/** Refuse options that the named call does not have: an ignored option is a wrong result that nobody notices. */
export function refuseUnknownOptions(call: keyof typeof KNOWN, options: object): void {
  const known = Object.keys(KNOWN[call]);
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new HearthError("invalid-options", `${call}: unknown option ${unknown.join(", ")}. It takes ${known.join(", ")}.`);
}
