import { HearthError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { ResolvedSampling } from "../sampling/options.ts";
import type { DeviceModel, DevicePart } from "./device_model.ts";
import type { Runner } from "./runner.ts";
import { TokenRing } from "./token_ring.ts";

/** One answer to compute. */
export interface TokenRequest {
  promptIds: readonly number[];
  /** Leading prompt tokens whose keys and values are in the cache already; fewer than all of them. */
  cachedTokens: number;
  sampling: ResolvedSampling;
  /** Tokens of the answer that are known already, where it goes on after a loss. */
  answerIds?: readonly number[];
  maxTokens: number;
  stopIds: ReadonlySet<number>;
  signal: AbortSignal;
}

const READS_IN_FLIGHT = 2; // while one burst is read, the next is running
const MAX_BURST = 16; // tokens submitted between two reads
const BURST_MS = 20; // work in a burst: enough to hide a read, short enough to look like a stream

/**
 * Prefill the prompt, then decode in bursts: tokens are submitted ahead of what has been read, because the GPU feeds
 * itself and a read takes longer than a token. Yields tokens as they become known. Ends after a stop token or `maxTokens`. Work submitted past a stop token
 * finds its sequence ended and does nothing.
 */
export async function* generateTokens(gpu: Gpu, runner: Runner, request: TokenRequest): AsyncGenerator<number[], void> {
  const { promptIds, answerIds = [], maxTokens, sampling, stopIds, signal } = request;
  runner.begin({ sampling, limit: maxTokens, stopIds: [...stopIds], promptIds, answerIds });
  const ring = new TokenRing(gpu, runner, READS_IN_FLIGHT, answerIds.length);
  const reads: Promise<number[]>[] = [];
  const read = () => {
    const tokens = ring.read();
    tokens.catch(() => undefined); // reported where it is awaited; a read abandoned by an abort has no one to tell
    reads.push(tokens);
  };
  try {
    await prefill(gpu, runner, request);
    read();
    let submitted = answerIds.length + 1;
    let received = answerIds.length;
    let burst = 1;
    let lastRead = performance.now();
    while (received < maxTokens) {
      while (reads.length < READS_IN_FLIGHT && submitted < maxTokens) {
        const count = Math.min(burst, maxTokens - submitted);
        for (let i = 0; i < count; i++) runner.decode(promptIds.length + submitted - 1 + i);
        submitted += count;
        read();
      }
      const tokenIds = await delivered(gpu, signal, reads.shift()!); // at least one read is in flight: received < maxTokens
      signal.throwIfAborted();
      gpu.throwIfFaulty();
      const now = performance.now();
      burst = nextBurst(burst, now - lastRead, received > answerIds.length);
      lastRead = now;
      received += tokenIds.length;
      yield tokenIds;
      if (tokenIds.some((id) => stopIds.has(id))) return;
    }
  } finally {
    ring.destroy();
    await Promise.allSettled(reads);
  }
}

/**
 * Like `generateTokens`, but goes on after a lost device: on the next one it computes the prompt and the answer's tokens
 * anew, and continues with the token that was due.
 */
export async function* generateThroughLosses(model: DeviceModel, first: DevicePart, request: TokenRequest): AsyncGenerator<number[], void> {
  const answerIds: number[] = [];
  let part = first;
  let { cachedTokens } = request;
  for (;;) {
    try {
      for await (const tokenIds of generateTokens(part.gpu, part.runner, { ...request, answerIds: [...answerIds], cachedTokens })) {
        answerIds.push(...tokenIds);
        yield tokenIds;
      }
      return;
    } catch (failure) {
      request.signal.throwIfAborted();
      await model.forgive(failure);
      part = await model.part(request.signal);
      cachedTokens = 0;
    }
  }
}

/** A read that fails of itself has lost its device, which the browser calls an abort: only the caller's own abort is one. */
async function delivered(gpu: Gpu, signal: AbortSignal, read: Promise<number[]>): Promise<number[]> {
  try {
    return await read;
  } catch (cause) {
    signal.throwIfAborted();
    gpu.throwIfFaulty();
    throw new HearthError("device-lost", "The GPU device went away in the middle of an answer. Load the model again.", { cause });
  }
}

/** Grow bursts until one takes about BURST_MS; the time of the first token says nothing about the next. */
function nextBurst(burst: number, elapsedMs: number, isDecoding: boolean): number {
  if (!isDecoding) return burst;
  if (elapsedMs < BURST_MS / 2) return Math.min(MAX_BURST, burst * 2);
  if (elapsedMs > BURST_MS * 2) return Math.max(1, Math.floor(burst / 2));
  return burst;
}

async function prefill(gpu: Gpu, runner: Runner, { promptIds, answerIds = [], cachedTokens, signal }: TokenRequest): Promise<void> {
  const tokenIds = [...promptIds, ...answerIds];
  if (cachedTokens > 0) runner.restoreStates(); // recurrent layers went on since
  let rows = 0;
  for (let position = cachedTokens; position < tokenIds.length; position += rows) {
    signal.throwIfAborted();
    const { pace } = runner;
    const chunk = tokenIds.slice(position, position + pace.rows);
    rows = chunk.length;
    const started = performance.now();
    runner.prefill(chunk, position, pace.submitsFor(rows));
    if (position + rows === tokenIds.length) break;
    // One chunk at a time: an abort then waits for one chunk at most.
    await gpu.idle();
    pace.note(rows, performance.now() - started);
  }
  runner.saveStates();
  runner.sampleAfterPrefill(rows, tokenIds.length - 1);
}
