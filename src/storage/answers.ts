import { HearthError } from "../errors.ts";

import type { Pace } from "./pace.ts";
import { askedDelayMs, Interruption } from "./retry.ts";

// What the headers of an answer say, and which answers are failures. Servers of other origins may hide most headers.

/** Where one file is on the network, and how to ask for it. */
export interface RemoteFile {
  name: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Statuses by which this server says that it has no such file. */
  absentStatuses: readonly number[];
  /** Whether it was there before, so that a web page in its place comes from somebody in between. */
  isKnown?: boolean;
  /** Hears how fast its bytes come. */
  pace?: Pace;
  /** Another address of its content, which needs no headers. */
  link?: FileLink;
}

/** An address that is found by asking, and expires. */
export interface FileLink {
  /** Resolves to undefined where there is none; the file's own address serves then. */
  url(signal: AbortSignal): Promise<string | undefined>;
  /** Forget the address: it is refused. */
  renew(): void;
}

/** What tells one version of a file from another. */
export interface FileFacts {
  byteLength: number;
  /** "sha256:…" or "git:…" of the content where a listing tells it, else "etag:…", "modified:…" or "size:…": the best that the server shows. */
  validator: string;
}

/** Throw for an answer that is no success: an Interruption where asking again may help. */
export async function refuseFailure(remote: RemoteFile, response: Response): Promise<void> {
  const { status } = response;
  if (response.ok) return;
  if (status === 408 || status === 429 || status >= 500) {
    throw new Interruption(`status ${status}`, { retryAfterMs: askedDelayMs(response.headers) });
  }
  const said = await words(response);
  if (status === 401 || status === 403) {
    const advice = "the checkpoint is private, gated or does not exist: check its name, or pass a token that may read it";
    throw new HearthError("access-denied", `${remote.name}: ${place(remote)} refused access; ${advice} (status ${status}${said})`);
  }
  throw new HearthError("network", `${remote.name}: ${place(remote)} could not answer; check the address (status ${status}${said})`);
}

/** Whether a link that worked before is refused now, as signed links are once they expire. */
export function isExpired({ url }: RemoteFile, response: Response): boolean {
  return response.status === 403 && response.url !== url;
}

/** The beginning of what a failed answer says, to be put behind its status. */
export async function words(response: Response): Promise<string> {
  const code = response.headers.get("X-Error-Code");
  const text = (await response.text().catch(() => "")).replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim().slice(0, 200);
  return [code, text].filter((part) => part !== null && part !== "").map((part) => `, ${part}`).join("");
}

/** Servers of single-page apps answer a missing file with status 200 and their index page; so do captive portals. */
export function isWebPage(remote: RemoteFile, response: Response): boolean {
  return response.ok && !remote.name.endsWith(".html") && /^text\/html\b/i.test(response.headers.get("Content-Type") ?? "");
}

/** The whole file's length, where an answer shows it. */
export function totalBytes(response: Response): number | undefined {
  if (response.status === 206) return contentRange(response)?.total;
  const length = response.headers.get("Content-Length");
  // A compressed body's Content-Length counts the compressed bytes.
  return length === null || response.headers.has("Content-Encoding") ? undefined : Number(length);
}

/** Which bytes of the file an answer says it is, where it does. */
export function contentRange(response: Response): { begin: number; total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("Content-Range") ?? "");
  if (match === null) return undefined;
  return { begin: Number(match[1]), total: match[2] === "*" ? undefined : Number(match[2]) };
}

/** What an answer shows of the file's version. */
export function validatorOf(response: Response, byteLength: number): string {
  const etag = response.headers.get("ETag");
  if (etag !== null) return `etag:${etag}`;
  const modified = response.headers.get("Last-Modified");
  return modified === null ? `size:${byteLength}` : `modified:${modified}`;
}

/** Whether an answer belongs to another version of the file. */
export function differs(facts: FileFacts, response: Response): boolean {
  if (!response.ok) return false;
  const byteLength = totalBytes(response);
  if (byteLength !== undefined && byteLength !== facts.byteLength) return true;
  const validator = validatorOf(response, facts.byteLength);
  const kind = (text: string) => text.slice(0, text.indexOf(":"));
  return kind(validator) === kind(facts.validator) && validator !== facts.validator;
}

/** The address without its query, which may hold a signature. */
export function place({ url }: RemoteFile): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
