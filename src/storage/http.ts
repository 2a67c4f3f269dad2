import { HearthError } from "../errors.ts";

import { contentRange, differs, isExpired, isWebPage, place, refuseFailure, totalBytes, validatorOf, words } from "./answers.ts";
import type { FileFacts, RemoteFile } from "./answers.ts";
import { bodySlices, collect, newAttempt, recover, request, withRetries, type Attempt, type RequestOptions } from "./request.ts";
import { Interruption } from "./retry.ts";

/** The facts of a file and its first bytes, which come with them for free. */
export interface Probe extends FileFacts {
  head: Uint8Array<ArrayBuffer>;
}

// Whole small files and most safetensors headers fit, so one request serves both facts and content.
const HEAD_BYTES = 256 * 1024;
const MAX_FILE_BYTES = 512 * 1024 ** 3; // the Hub takes no larger ones; tables of chunks are allocated from the length
const MAX_UNSIZED_BYTES = 64 * 1024 * 1024; // without a length the body must be held in memory to be measured

/** Learn a file's length, version and first bytes, or undefined when the server does not have it. */
export async function probe(remote: RemoteFile, options: RequestOptions = {}): Promise<Probe | undefined> {
  let renewals = 0;
  return withRetries(async (attempt) => {
    const response = await request(remote, `bytes=0-${HEAD_BYTES - 1}`, attempt);
    if (isExpired(remote, response) && renewals++ === 0) return readProbe(remote, await request(remote, `bytes=0-${HEAD_BYTES - 1}`, attempt), attempt);
    return readProbe(remote, response, attempt);
  }, remote, options);
}

/** A JSON document, and the headers that came with it. */
export interface JsonAnswer {
  document: unknown;
  headers: Headers;
}

/** Fetch a JSON document, or resolve to undefined when the server does not have it. */
export async function fetchJson(remote: RemoteFile, options: RequestOptions = {}): Promise<JsonAnswer | undefined> {
  return withRetries(async (attempt) => {
    const response = await request(remote, undefined, attempt);
    if (remote.absentStatuses.includes(response.status)) return undefined;
    if (isWebPage(remote, response) && !remote.isKnown) return undefined;
    if (isWebPage(remote, response)) throw new Interruption("the server answered with a web page");
    await refuseFailure(remote, response);
    const text = new TextDecoder().decode(await collect(bodySlices(response, attempt, 0, MAX_UNSIZED_BYTES)));
    try {
      return { document: JSON.parse(text) as unknown, headers: response.headers };
    } catch (cause) {
      throw new Interruption("the answer is no JSON, or ended early", { cause });
    }
  }, remote, options);
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
  let refusals = 0;
  while (position < end) {
    let failure: unknown = new Interruption("the answer ended early");
    const attempt = newAttempt(remote, options);
    try {
      const response = await request(remote, `bytes=${position}-${end - 1}`, attempt);
      // The file was served before, so this is an expired link; asking again renews it, but only once.
      if (response.status === 403 && refusals++ === 0) continue;
      const skippedBytes = await checkRange(remote, response, { begin: position, end }, facts);
      const isWhole = response.status !== 206 && end === facts.byteLength;
      const slices = bodySlices(response, attempt, skippedBytes, end - position + (isWhole ? 1 : 0));
      for await (let slice of slices) {
        const isLonger = slice.byteLength > end - position;
        const isLast = isWhole && slice.byteLength === end - position;
        if (isLast) slice = slice.slice(); // asking for more takes its buffer
        // A compressing server's Content-Length is too small; told before the last bytes count as the file's end.
        if (isLonger || (isLast && !(await slices.next()).done)) throw lengthOfOther(remote);
        position += slice.byteLength;
        failures = 0;
        refusals = 0;
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

async function readProbe(remote: RemoteFile, response: Response, attempt: Attempt): Promise<Probe | undefined> {
  if (isWebPage(remote, response) && remote.isKnown) throw new Interruption("the server answered with a web page");
  if (remote.absentStatuses.includes(response.status) || isWebPage(remote, response)) return undefined;
  if (response.status === 416) return emptyFile(response);
  await refuseFailure(remote, response);
  const claimed = totalBytes(response)
    ?? (response.status === 206 ? await lengthWithoutRange(remote, attempt) : undefined);
  if (claimed !== undefined && !(claimed <= MAX_FILE_BYTES)) {
    throw new HearthError("corrupt-checkpoint", `${remote.name}: expected at most ${MAX_FILE_BYTES} bytes, found ${claimed} at ${place(remote)}`);
  }
  const readable = response.status === 206 ? claimed : claimed && claimed + 1; // one more, to see whether the claim is true
  const head = await collect(bodySlices(response, attempt, 0, readable === undefined ? MAX_UNSIZED_BYTES + 1 : Math.min(HEAD_BYTES, readable)));
  if (claimed === undefined) return { byteLength: unsizedLength(remote, head), validator: validatorOf(response, head.byteLength), head };
  if (head.byteLength > claimed) throw lengthOfOther(remote);
  if (head.byteLength < Math.min(HEAD_BYTES, claimed)) throw new Interruption("the answer ended early");
  return { byteLength: claimed, validator: validatorOf(response, claimed), head };
}

/** Check that an answer is the range that was asked for; returns how many bytes to skip before it. */
async function checkRange(remote: RemoteFile, response: Response, range: { begin: number; end: number }, facts: FileFacts): Promise<number> {
  if (isWebPage(remote, response)) throw new Interruption("the server answered with a web page");
  if (response.status === 403) {
    throw new HearthError("network", `${remote.name}: ${place(remote)} refuses to serve the rest (status 403${await words(response)}); load again later`);
  }
  const gone = response.status === 416 || remote.absentStatuses.includes(response.status);
  if (gone || differs(facts, response)) {
    if (remote.isKnown) throw new Interruption("the server answered for another file"); // what a commit lists cannot change
    throw new HearthError("network", `${remote.name}: the file at ${place(remote)} changed while it was read; load again`);
  }
  await refuseFailure(remote, response);
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

/** Only an empty file cannot serve its first byte. */
function emptyFile(response: Response): Probe {
  const total = /^bytes \*\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? "0";
  if (Number(total) > 0) throw new Interruption("status 416 for the first byte");
  return { byteLength: 0, validator: validatorOf(response, 0), head: new Uint8Array() };
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

function lengthOfOther(remote: RemoteFile): HearthError {
  return new HearthError("network", `${remote.name}: ${place(remote)} sends more bytes than its Content-Length says, as compressing servers do; serve it uncompressed`);
}
