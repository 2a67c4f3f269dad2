import { HearthError } from "../errors.ts";

import { place, type RemoteFile } from "./answers.ts";
import type { Pace } from "./pace.ts";
import { controllerUnder, DEFAULT_RETRY, Interruption, retryDelayMs, wait, type RetryPolicy } from "./retry.ts";

/** How a request may be stopped and repeated. */
export interface RequestOptions {
  signal?: AbortSignal;
  retry?: RetryPolicy;
}

/** One request of perhaps several, and how long it may stay silent. */
export interface Attempt {
  controller: AbortController;
  stallMs: number;
  pace: Pace | undefined;
  signal: AbortSignal | undefined;
}

/** Prepare a request that ends with its own controller or with the caller's signal. */
export function newAttempt({ pace }: RemoteFile, { signal, retry = DEFAULT_RETRY }: RequestOptions): Attempt {
  return { controller: controllerUnder(signal), stallMs: retry.stallMs, pace, signal };
}

/** Try until it works, or until repeating makes no sense; each attempt's connection ends with it. */
export async function withRetries<T>(work: (attempt: Attempt) => Promise<T>, remote: RemoteFile, options: RequestOptions): Promise<T> {
  for (let failures = 1; ; failures++) {
    let failure: unknown;
    const attempt = newAttempt(remote, options);
    try {
      return await work(attempt);
    } catch (error) {
      failure = error;
    } finally {
      attempt.controller.abort();
    }
    await recover(failure, failures, { remote, received: "nothing" }, options);
  }
}

/** One GET with at most a single plain Range: the only form that needs no CORS preflight. */
export async function request(remote: RemoteFile, range: string | undefined, attempt: Attempt): Promise<Response> {
  return endStalls(ask(remote, range, attempt.controller.signal), attempt, "no answer: the server is down or blocks this page, or the browser is offline");
}

async function ask({ url, headers, link }: RemoteFile, range: string | undefined, signal: AbortSignal): Promise<Response> {
  const linked = await link?.url(signal);
  const ownHeaders = linked === undefined ? headers : {};
  // The shard store is the cache; the HTTP cache only slows big bodies down, and Firefox's breaks them.
  const response = await fetch(linked ?? url, { headers: range === undefined ? ownHeaders : { ...ownHeaders, Range: range }, cache: "no-store", signal });
  if (linked !== undefined && response.status === 403) link?.renew(); // whoever asks again gets another
  return response;
}

/** Turn a failed or endless wait into an Interruption; an abort from outside is told apart by `recover`. */
async function endStalls<T>(work: Promise<T>, { controller, stallMs, pace }: Attempt, failure: string): Promise<T> {
  const begun = performance.now();
  let stalled = false;
  const timer = setTimeout(() => {
    stalled = true;
    controller.abort();
  }, stallMs);
  try {
    return await work;
  } catch (cause) {
    throw new Interruption(stalled ? `no byte for ${stallMs / 1000} seconds` : failure, { cause });
  } finally {
    clearTimeout(timer);
    pace?.note(performance.now() - begun, 0);
  }
}

const SLICE_BYTES = 256 * 1024; // what a processor's cache holds; larger ones are no faster

/**
 * Yield a body's bytes after the first `skippedBytes`, at most `wantedBytes` of them. A slice is gone when the next is asked
 * for: all come in one buffer, because browsers are slow to collect what is thrown away.
 */
export async function* bodySlices(
  response: Response,
  attempt: Attempt,
  skippedBytes: number,
  wantedBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (response.body === null) return;
  const read = readerOf(response.body);
  let position = -skippedBytes;
  while (position < wantedBytes) {
    const { done, value } = await endStalls(read(), attempt, "the connection broke");
    if (done) return;
    const slice = value.subarray(Math.max(0, -position), wantedBytes - position);
    position += value.byteLength;
    attempt.pace?.note(0, value.byteLength);
    if (slice.byteLength > 0) yield slice;
  }
}

/** What reads a body into one buffer again and again, where the browser can. */
function readerOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): () => Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const plain = body.getReader(); // not every browser's bodies can be read into a given buffer
    return () => plain.read();
  }
  let buffer = new ArrayBuffer(SLICE_BYTES);
  return async () => {
    const result = await reader.read(new Uint8Array(buffer));
    if (!result.done) buffer = result.value.buffer;
    return result;
  };
}

/** Join slices in memory as they come. */
export async function collect(slices: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const slice of slices) parts.push(slice.slice()); // the next may come in the same buffer
  return concat(parts);
}

/** Join bytes. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.byteLength;
  }
  return bytes;
}

/** Wait if a repetition may help, else throw what the caller should see. */
export async function recover(
  error: unknown,
  failures: number,
  progress: { remote: RemoteFile; received: string },
  { signal, retry = DEFAULT_RETRY }: RequestOptions,
): Promise<void> {
  signal?.throwIfAborted();
  if (!(error instanceof Interruption)) throw error;
  if (failures < retry.attempts) return wait(retryDelayMs(error, failures, retry), signal);
  const { remote, received } = progress;
  throw new HearthError(
    "network",
    `${remote.name}: received ${received} from ${place(remote)}: ${error.message}; ` +
      "check the connection and load again, stored parts are kept",
    { cause: error },
  );
}
