import { HearthError } from "../errors.ts";

import type { RemoteFile } from "./answers.ts";
import { fetchJson, type JsonAnswer } from "./http.ts";
import type { RequestOptions } from "./request.ts";

/** What a checkpoint is made of at one commit, as its server promises. */
export interface Listing {
  /** The commit of a Hub repo; "" for a folder with a manifest. */
  commit: string;
  files: Record<string, ListedFile>;
}

/** One file of a listing. */
export interface ListedFile {
  byteLength: number;
  /** "sha256:…" or "git:…" in lower-case hexadecimal. */
  hash: string;
}

/** Where a Hub repo is, and who asks. */
export interface HubRepo {
  endpoint: string;
  repo: string;
  revision: string;
  headers: Readonly<Record<string, string>>;
}

const COMMIT = /^[0-9a-f]{40}$/;
const HASH = /^(sha256:[0-9a-f]{64}|git:[0-9a-f]{40})$/;
const MAX_PAGES = 100; // the Hub lists a thousand files on each, and no checkpoint has a hundred thousand

/** Pin a revision of a Hub repo to its commit and list that commit's files; what is known of the same commit costs no second request. */
export async function hubListing(hub: HubRepo, known: Listing | undefined, options: RequestOptions): Promise<Listing> {
  const { repo, revision } = hub;
  const commit = COMMIT.test(revision) ? revision : await resolveCommit(hub, options);
  if (known?.commit === commit) return known;
  const files: Record<string, ListedFile> = Object.create(null); // names come from outside, "__proto__" among them
  let query: string | undefined = "?recursive=1";
  for (let pages = 0; query !== undefined; pages++) {
    if (pages === MAX_PAGES) throw new HearthError("network", `${repo}: expected at most ${MAX_PAGES} pages of files at one commit, found another`);
    const page: JsonAnswer = await askHub(hub, `tree/${commit}${query}`, options);
    addEntries(files, page.document, repo);
    query = nextQuery(page.headers, hub.endpoint);
  }
  return { commit, files };
}

function addEntries(files: Listing["files"], page: unknown, repo: string): void {
  if (!Array.isArray(page)) throw unreadable(repo, "a list of files", page);
  for (const entry of page as Record<string, unknown>[]) {
    if (entry?.type !== "file") continue;
    const { path, size, oid } = entry;
    const sha256 = (entry.lfs as { oid?: unknown } | undefined)?.oid;
    const hash = sha256 === undefined ? `git:${String(oid)}` : `sha256:${String(sha256)}`;
    if (typeof path !== "string" || !isByteLength(size) || !HASH.test(hash)) throw unreadable(repo, "path, size and hash of a file", entry);
    files[path] = { byteLength: size, hash };
  }
}

/** What asks for the page after this one. Only the query is taken: the address may name another host, as behind a mirror, and a token goes to the endpoint alone. */
function nextQuery(headers: Headers, endpoint: string): string | undefined {
  const next = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get("Link") ?? "")?.[1];
  return next !== undefined && URL.canParse(next, endpoint) ? new URL(next, endpoint).search : undefined;
}

/** Check a manifest, `hearth.json`: `{ "files": { "<name>": { "size": bytes, "sha256": "<hex>" } } }`. */
export function parseManifest(manifest: unknown, address: string): Listing {
  const listed = (manifest as { files?: unknown } | null)?.files;
  if (typeof listed !== "object" || listed === null) throw unreadable(address, "an object files in hearth.json", manifest);
  const files: Record<string, ListedFile> = Object.create(null);
  for (const [name, entry] of Object.entries(listed)) {
    const { size, sha256 } = (entry ?? {}) as { size?: unknown; sha256?: unknown };
    const hash = `sha256:${String(sha256).toLowerCase()}`;
    if (!isByteLength(size) || !HASH.test(hash)) throw unreadable(address, `size and sha256 of ${name} in hearth.json`, entry);
    files[name] = { byteLength: size, hash };
  }
  return { commit: "", files };
}

async function resolveCommit(hub: HubRepo, options: RequestOptions): Promise<string> {
  const { document } = await askHub(hub, `revision/${encodeURIComponent(hub.revision)}`, options);
  const sha = (document as { sha?: unknown } | null)?.sha;
  if (typeof sha === "string" && COMMIT.test(sha)) return sha;
  throw unreadable(hub.repo, "the commit of a revision", document);
}

async function askHub({ endpoint, repo, revision, headers }: HubRepo, question: string, options: RequestOptions): Promise<JsonAnswer> {
  const remote: RemoteFile = { name: repo, url: `${endpoint}/api/models/${repo}/${question}`, headers, absentStatuses: [404], isKnown: true };
  const answer = await fetchJson(remote, options);
  if (answer !== undefined) return answer;
  throw new HearthError("file-not-found", `${repo}: ${endpoint} has no model of this name with a revision "${revision}"; check both`);
}

function isByteLength(size: unknown): size is number {
  return Number.isSafeInteger(size) && (size as number) >= 0;
}

function unreadable(subject: string, expected: string, found: unknown): HearthError {
  return new HearthError("network", `${subject}: expected ${expected}, found ${JSON.stringify(found)?.slice(0, 200)}`);
}
