import { HearthError } from "../errors.ts";

import { DEFAULT_RETRY, Interruption, waitToRetry, type RetryPolicy } from "./retry.ts";

/** Where one file is on the network, and how to ask for it. */
export interface RemoteFile {
  name: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Statuses by which this server says that it has no such file. */
  absentStatuses: readonly number[];
}

/** What tells one version of a file from another. */
export interface FileFacts {
  byteLength: number;
  /** "etag:…", "modified:…" or "size:…": the best that the server shows. */
  validator: string;
}

/** The facts of a file and its first bytes, which come with them for free. */
export interface Probe extends FileFacts {
  head: Uint8Array<ArrayBuffer>;
}

/** How a request may be stopped and repeated. */
export interface RequestOptions {
  signal?: AbortSignal;
  retry?: RetryPolicy;
}

// Whole small files and most safetensors headers fit, so one request serves both facts and content.
const HEAD_BYTES = 256 * 1024;
const MAX_FILE_BYTES = 512 * 1024 ** 3; // the Hub takes no larger ones; tables of chunks are allocated from the length
const MAX_UNSIZED_BYTES = 64 * 1024 * 1024; // without a length the body must be held in memory to be measured

/** One request of perhaps several, and how long it may stay silent. */
interface Attempt {
  controller: AbortController;
  stallMs: number;
  signal: AbortSignal | undefined;
}

/** Learn a file's length, version and first bytes, or undefined when the server does not have it. */
export async function probe(remote: RemoteFile, options: RequestOptions = {}): Promise<Probe | undefined> {
  for (let failures = 1; ; failures++) {
    let failure: unknown;
    const attempt = newAttempt(options);
    try {
      return await attemptProbe(remote, attempt);
    } catch (error) {
      failure = error;
    } finally {
      attempt.controller.abort();
    }
    await recover(failure, failures, { remote, received: "nothing" }, options);
  }
}

/**
 * Yield bytes `begin` to `end` (exclusive) as they arrive, resuming where a broken connection stopped.
 * Leaving the loop ends the request.
 */
export async function* fetchRange(
  remote: RemoteFile,
  begin: number,
  end: number,
  facts: FileFacts,
  options: RequestOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let position = begin;
  let failures = 0;
  while (position < end) {
    let failure: unknown = new Interruption("the answer ended early");
    const attempt = newAttempt(options);
    try {
      const response = await request(remote, `bytes=${position}-${end - 1}`, attempt);
      const skippedBytes = checkRange(remote, response, { begin: position, end }, facts);
      for await (const slice of bodySlices(response, attempt, skippedBytes, end - position)) {
        position += slice.byteLength;
        failures = 0;
        yield slice;
      }
    } catch (error) {
      failure = error;
    } finally {
      attempt.controller.abort();
    }
    if (position === end) return;
    await recover(failure, ++failures, { remote, received: `${position - begin} of ${end - begin} bytes` }, options);
  }
}

function newAttempt({ signal, retry = DEFAULT_RETRY }: RequestOptions): Attempt {
  return { controller: new AbortController(), stallMs: retry.stallMs, signal };
}

async function attemptProbe(remote: RemoteFile, attempt: Attempt): Promise<Probe | undefined> {
  const response = await request(remote, `bytes=0-${HEAD_BYTES - 1}`, attempt);
  if (remote.absentStatuses.includes(response.status) || isWebPage(remote, response)) return undefined;
  if (response.status === 416) return emptyFile(response);
  refuseFailure(remote, response);
  const byteLength = totalBytes(response)
    ?? (response.status === 206 ? await lengthWithoutRange(remote, attempt) : undefined);
  if (byteLength !== undefined && !(byteLength <= MAX_FILE_BYTES)) {
    throw new HearthError("corrupt-checkpoint", `${remote.name}: expected at most ${MAX_FILE_BYTES} bytes, found ${byteLength} at ${place(remote)}`);
  }
  const wanted = byteLength === undefined ? MAX_UNSIZED_BYTES + 1 : Math.min(HEAD_BYTES, byteLength);
  const head = await collect(bodySlices(response, attempt, 0, wanted));
  if (byteLength === undefined) return { byteLength: unsizedLength(remote, head), validator: validatorOf(response, head.byteLength), head };
  if (head.byteLength < wanted) throw new Interruption("the answer ended early");
  return { byteLength, validator: validatorOf(response, byteLength), head };
}

/** One GET with at most a single plain Range: the only form that needs no CORS preflight. */
async function request(remote: RemoteFile, range: string | undefined, attempt: Attempt): Promise<Response> {
  const { controller, signal } = attempt;
  const joined = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  const headers = range === undefined ? remote.headers : { ...remote.headers, Range: range };
  // The shard store is the cache; the HTTP cache only slows big bodies down, and Firefox's breaks them.
  const response = fetch(remote.url, { headers, cache: "no-store", signal: joined });
  return endStalls(response, attempt, "no answer: the server is down or blocks this page, or the browser is offline");
}

/** Turn a failed or endless wait into an Interruption; an abort from outside is told apart by `recover`. */
async function endStalls<T>(work: Promise<T>, { controller, stallMs }: Attempt, failure: string): Promise<T> {
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
  }
}

async function* bodySlices(
  response: Response,
  attempt: Attempt,
  skippedBytes: number,
  wantedBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  let position = -skippedBytes;
  while (reader !== undefined && position < wantedBytes) {
    const { done, value } = await endStalls(reader.read(), attempt, "the connection broke");
    if (done) return;
    const slice = value.subarray(Math.max(0, -position), wantedBytes - position);
    position += value.byteLength;
    if (slice.byteLength > 0) yield slice;
  }
}

/** Wait if a repetition may help, else throw what the caller should see. */
async function recover(
  error: unknown,
  failures: number,
  progress: { remote: RemoteFile; received: string },
  { signal, retry = DEFAULT_RETRY }: RequestOptions,
): Promise<void> {
  signal?.throwIfAborted();
  if (!(error instanceof Interruption)) throw error;
  if (failures < retry.attempts) return waitToRetry(error, failures, retry, signal);
  const { remote, received } = progress;
  throw new HearthError(
    "network",
    `${remote.name}: received ${received} from ${place(remote)}: ${error.message}; ` +
      "check the connection and load again, stored parts are kept",
    { cause: error },
  );
}

/** Check that an answer is the range that was asked for; returns how many bytes to skip before it. */
function checkRange(remote: RemoteFile, response: Response, range: { begin: number; end: number }, facts: FileFacts): number {
  if (isWebPage(remote, response)) throw new Interruption("the server answered with a web page");
  // The file was served before, so this is an expired link or a moody CDN; asking again renews the link.
  if (response.status === 403) throw new Interruption("status 403");
  const gone = response.status === 416 || remote.absentStatuses.includes(response.status);
  if (gone || differs(facts, response)) {
    throw new HearthError("network", `${remote.name}: the file at ${place(remote)} changed while it was read; load again`);
  }
  refuseFailure(remote, response);
  if (response.status !== 206) return range.begin; // a server without ranges sends everything
  const found = contentRange(response);
  if (found !== undefined && found.begin !== range.begin) {
    throw new Interruption(`the server sent bytes from ${found.begin} when asked for ${range.begin}`);
  }
  const length = Number(response.headers.get("Content-Length") ?? 0);
  // Without a readable Content-Range the length is all that can show a server that sent something else.
  if (length > range.end - range.begin) throw new Interruption("the server sent more than was asked for");
  return 0;
}

function refuseFailure(remote: RemoteFile, response: Response): void {
  const { status } = response;
  if (response.ok) return;
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(response.headers.get("Retry-After") || Number.NaN);
    throw new Interruption(`status ${status}`, { retryAfterMs: Number.isNaN(seconds) ? undefined : seconds * 1000 });
  }
  const refusal = status === 401 || status === 403
    ? "refused access; the checkpoint is private, gated or does not exist: check its name, or pass a token that may read it"
    : "could not answer; check the address";
  throw new HearthError("network", `${remote.name}: ${place(remote)} ${refusal} (status ${status})`);
}

// Servers of single-page apps answer a missing file with status 200 and their index page.
function isWebPage(remote: RemoteFile, response: Response): boolean {
  return response.ok && !remote.name.endsWith(".html") && /^text\/html\b/i.test(response.headers.get("Content-Type") ?? "");
}

/** Only an empty file cannot serve its first byte. */
function emptyFile(response: Response): Probe {
  const total = /^bytes \*\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? "0";
  if (Number(total) > 0) throw new Interruption("status 416 for the first byte");
  return { byteLength: 0, validator: validatorOf(response, 0), head: new Uint8Array() };
}

function totalBytes(response: Response): number | undefined {
  if (response.status === 206) return contentRange(response)?.total;
  const length = response.headers.get("Content-Length");
  // A compressed body's Content-Length counts the compressed bytes.
  return length === null || response.headers.has("Content-Encoding") ? undefined : Number(length);
}

function contentRange(response: Response): { begin: number; total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("Content-Range") ?? "");
  if (match === null) return undefined;
  return { begin: Number(match[1]), total: match[2] === "*" ? undefined : Number(match[2]) };
}

/** Servers of other origins may hide Content-Range, but never the Content-Length of a whole answer. */
async function lengthWithoutRange(remote: RemoteFile, attempt: Attempt): Promise<number> {
  const controller = new AbortController(); // its own, because the ranged answer is still being read
  try {
    const byteLength = totalBytes(await request(remote, undefined, { ...attempt, controller }));
    if (byteLength !== undefined) return byteLength;
    throw new HearthError("network", `${remote.name}: ${place(remote)} does not say how long it is; serve it with Content-Length`);
  } finally {
    controller.abort();
  }
}

function unsizedLength(remote: RemoteFile, head: Uint8Array): number {
  if (head.byteLength <= MAX_UNSIZED_BYTES) return head.byteLength;
  throw new HearthError("network", `${remote.name}: ${place(remote)} neither says how long it is nor serves ranges; use a server that does`);
}

function validatorOf(response: Response, byteLength: number): string {
  const etag = response.headers.get("ETag");
  if (etag !== null) return `etag:${etag}`;
  const modified = response.headers.get("Last-Modified");
  return modified === null ? `size:${byteLength}` : `modified:${modified}`;
}

function differs(facts: FileFacts, response: Response): boolean {
  if (!response.ok) return false;
  const byteLength = totalBytes(response);
  if (byteLength !== undefined && byteLength !== facts.byteLength) return true;
  const validator = validatorOf(response, facts.byteLength);
  const kind = (text: string) => text.slice(0, text.indexOf(":"));
  return kind(validator) === kind(facts.validator) && validator !== facts.validator;
}

async function collect(slices: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const slice of slices) parts.push(slice);
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.byteLength;
  }
  return bytes;
}

/** The address without its query, which may hold a signature. */
function place(remote: RemoteFile): string {
  const { origin, pathname } = new URL(remote.url);
  return origin + pathname;
}
