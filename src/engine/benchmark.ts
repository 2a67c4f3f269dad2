import { bytesReadPerToken } from "../kernels/decoder_weights.ts";
import { rejectUnknownKeys, resolveSampling, SAMPLING_KEYS, type ResolvedSampling } from "../sampling/options.ts";
import { measureBandwidth } from "./bandwidth.ts";
import type { DevicePart } from "./device_model.ts";
import { generateTokens } from "./generate_tokens.ts";
import { timeKernels } from "./kernel_times.ts";
import type { BenchmarkOptions, BenchmarkReport } from "./options.ts";
import { Stopwatch } from "./stopwatch.ts";
import { HearthError } from "../errors.ts";

const WARM_UP_TOKENS = 8; // compiles what the driver left for the first use, and finds the burst size

/** Measure decoding of random tokens, after a short warm-up: prefill, decode, and the memory's own speed. */
export async function runBenchmark(part: DevicePart, contextLength: number, options: BenchmarkOptions, signal: AbortSignal): Promise<BenchmarkReport> {
  const { gpu, runner } = part;
  const promptTokens = options.promptTokens ?? Math.min(512, Math.floor(contextLength / 2));
  const maxTokens = options.maxTokens ?? Math.min(128, contextLength - promptTokens);
  if (!(Number.isInteger(promptTokens) && Number.isInteger(maxTokens) && promptTokens > 0 && maxTokens > 1 && promptTokens + maxTokens <= contextLength)) {
    throw new HearthError("invalid-options", `benchmark: expected promptTokens and maxTokens (at least 2) that fit ${contextLength} together, found ${promptTokens} and ${maxTokens}`);
  }
  rejectUnknownKeys(options.sampling ?? {}, SAMPLING_KEYS, "benchmark, sampling");
  const sampling = resolveSampling(options.sampling ?? {});
  const { vocabSize } = runner.decoder.spec;
  const promptIds = Array.from({ length: promptTokens }, (_, i) => (i * 7919 + 13) % vocabSize);
  const run = (tokens: number, onBatch: (count: number) => void) => decode(part, promptIds, sampling, tokens, signal, onBatch);
  gpu.takePeakBytes(); // of whatever was before
  await run(Math.min(WARM_UP_TOKENS, maxTokens), () => undefined);
  const stopwatch = new Stopwatch();
  const tokenMs: number[] = [];
  let last = performance.now();
  await run(maxTokens, (count) => {
    const now = performance.now();
    if (stopwatch.tokens > 0) for (let i = 0; i < count; i++) tokenMs.push((now - last) / count);
    last = now;
    stopwatch.count(count);
  });
  const { timeToFirstTokenMs, prefillTokensPerSecond, decodeTokensPerSecond } = stopwatch.timing(promptTokens);
  const peakMemoryBytes = gpu.takePeakBytes();
  const measuredBandwidth = await measureBandwidth(gpu);
  tokenMs.sort((a, b) => a - b);
  const percentile = (p: number) => tokenMs[Math.min(tokenMs.length - 1, Math.floor(p * tokenMs.length))];
  return {
    promptTokens,
    completionTokens: stopwatch.tokens,
    prefillTokensPerSecond,
    decodeTokensPerSecond,
    timeToFirstTokenMs,
    tokenMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
    dispatchesPerToken: runner.dispatchesPerToken(promptTokens + 1),
    submitsPerToken: 1,
    encodeMsPerToken: measureEncoding(runner, promptTokens),
    peakMemoryBytes,
    measuredBandwidth,
    bandwidthFraction: (bytesReadPerToken(runner.decoder) * decodeTokensPerSecond) / measuredBandwidth,
    ...(options.kernels ? { kernels: await timeKernels(gpu, runner, promptTokens + 1, measuredBandwidth) } : {}),
  };
}

async function decode(
  { gpu, runner }: DevicePart, promptIds: readonly number[], sampling: ResolvedSampling, maxTokens: number, signal: AbortSignal, onBatch: (count: number) => void,
): Promise<void> {
  const request = { promptIds, cachedTokens: 0, sampling, maxTokens, stopIds: new Set<number>(), signal };
  for await (const tokenIds of generateTokens(gpu, runner, request)) onBatch(tokenIds.length);
}

const ENCODED_TOKENS = 8;

/** Time the encoding of tokens whose sequence has ended, so that the GPU does next to nothing. */
function measureEncoding(runner: DevicePart["runner"], position: number): number {
  const started = performance.now();
  for (let i = 0; i < ENCODED_TOKENS; i++) runner.decode(position);
  return (performance.now() - started) / ENCODED_TOKENS;
}
