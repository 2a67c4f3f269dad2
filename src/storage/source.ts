import { HearthError } from "../errors.ts";

import type { RemoteFile } from "./answers.ts";
import type { Checkpoint, CheckpointFile, FileProgress, Verdict } from "./checkpoint.ts";
import { guarded } from "./connection.ts";
import { DownloadQueue } from "./download_queue.ts";
import { fetchJson } from "./http.ts";
import { hubListing, parseManifest, type Listing } from "./listing.ts";
import { openRemoteFile, type FinishableFile } from "./open_file.ts";
import { Pace } from "./pace.ts";
import { pickedCheckpoint } from "./picked_files.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import type { ShardStore } from "./shard_store.ts";
import { SignedLinks } from "./signed_links.ts";

/** How the files of a checkpoint are found and kept. */
export interface CheckpointOptions {
  /** Branch, tag or commit of a Hub repo. Default "main". */
  revision?: string;
  /** Hub access token; it is sent to the endpoint's origin only. */
  token?: string;
  /** Address of the Hub, or of a mirror that speaks its API. Default "https://huggingface.co". */
  endpoint?: string;
  /** What relative addresses are relative to: the page's address, which a worker does not know. */
  baseUrl?: string;
  /** Where files are kept between visits. Without it every load comes from the network. */
  store?: ShardStore;
  retry?: RetryPolicy;
  onProgress?: (progress: FileProgress) => void;
  /** Called when a file can no longer be stored; reading goes on without storing. Without it the read fails. */
  onStorageError?: (error: HearthError) => void;
}

interface Location {
  id: string;
  headers: Readonly<Record<string, string>>;
  absentStatuses: readonly number[];
  /** Ask what the checkpoint is made of; undefined where the server does not tell. */
  list(known: Known, signal?: AbortSignal): Promise<Listing | undefined>;
  /** The folder in which that listing's files lie. */
  folder(listing: Listing | undefined): string;
  /** Other addresses of its large files, where a token must not follow a redirect. */
  links?(listing: Listing): SignedLinks;
}

/** What is stored of a checkpoint before anything is asked. */
interface Known {
  /** The listing by which it was last loaded whole. */
  listing?: Listing;
  /** Whether any of its files are stored. */
  hasFiles: boolean;
}

const MANIFEST = "hearth.json"; // sizes and hashes of a folder's files, where whoever serves it made one
const HUB = "https://huggingface.co";
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;
const SLOW_MS = 60_000; // a dead spot on a train is shorter
const PROGRESS_MS = 100; // a progress bar shows no more, and every event is a message to the page

/** Open a checkpoint by Hub id ("org/name"), by the address of its folder, or from picked files. */
export function openCheckpoint(source: string | readonly File[], options: CheckpointOptions = {}): Checkpoint {
  if (typeof source !== "string") return pickedCheckpoint(source, options.onProgress && throttled(options.onProgress));
  const location = HUB_ID.test(source) ? hubLocation(source, options) : folderLocation(source, options);
  return new RemoteCheckpoint(location, options);
}

class RemoteCheckpoint implements Checkpoint {
  readonly #location: Location;
  readonly #options: CheckpointOptions;
  readonly #queue = new DownloadQueue();
  readonly #opened = new Map<string, Promise<FinishableFile | undefined>>();
  readonly #pace: Pace;
  #listing: Promise<Listing | undefined> | undefined;
  #links: SignedLinks | undefined;
  #storeFailed = false;

  constructor(location: Location, options: CheckpointOptions) {
    const { onProgress, onStorageError, retry } = options;
    const progress = onProgress && pacedProgress(onProgress);
    const note = (error: HearthError) => {
      this.#storeFailed = true;
      onStorageError?.(error);
    };
    this.#location = location;
    this.#options = { ...options, onProgress: progress?.report, onStorageError: onStorageError && note };
    this.#pace = new Pace(retry?.slowMs ?? SLOW_MS, () => progress?.setSlow(this.#pace.isSlow));
  }

  get id(): string {
    return this.#location.id;
  }

  async open(name: string, signal?: AbortSignal): Promise<CheckpointFile | undefined> {
    const opening = this.#opened.get(name) ?? this.#open(name, signal);
    this.#opened.set(name, opening);
    try {
      const file = await opening;
      if (file === undefined) this.#opened.delete(name);
      return file;
    } catch (error) {
      this.#opened.delete(name); // a later call may have more luck
      throw error;
    }
  }

  async list(signal?: AbortSignal): Promise<readonly string[] | undefined> {
    const listing = await this.#listed(signal);
    return listing && Object.keys(listing.files);
  }

  async verify(signal?: AbortSignal): Promise<Verdict> {
    const files = await Promise.all(this.#opened.values());
    let verdict: Verdict = "sound";
    for (const file of files) if ((await file?.finish(signal)) === "repaired") verdict = "repaired";
    if (verdict === "sound") await this.#settle();
    return verdict;
  }

  async #open(name: string, signal: AbortSignal | undefined): Promise<FinishableFile | undefined> {
    const listing = await this.#listed(signal);
    const { store, retry, onProgress, onStorageError } = this.#options;
    if (listing !== undefined && !Object.hasOwn(listing.files, name)) return undefined;
    const listed = listing?.files[name];
    if (listing !== undefined) this.#links ??= this.#location.links?.(listing);
    const remote = { ...remoteFile(this.#location, listing, name), pace: this.#pace, link: listed && this.#links?.linkTo(listed.hash) };
    return openRemoteFile({ remote, key: { checkpoint: this.id, file: name }, listed, queue: this.#queue, store, retry, onProgress, onStorageError }, signal);
  }

  /** What the checkpoint is made of, asked once. */
  #listed(signal: AbortSignal | undefined): Promise<Listing | undefined> {
    this.#listing ??= this.#askListing(signal);
    this.#listing.catch(() => (this.#listing = undefined));
    return this.#listing;
  }

  /** Ask the server what the checkpoint is made of now; when it cannot be reached, what was stored last still loads. */
  async #askListing(signal: AbortSignal | undefined): Promise<Listing | undefined> {
    const { store, onStorageError } = this.#options;
    const stored = store && (await guarded(onStorageError, async () => ({ listing: await store.listing(this.id), hasFiles: (await store.records(this.id)).length > 0 })));
    const known: Known = stored ?? { hasFiles: false };
    try {
      return await this.#location.list(known, signal);
    } catch (error) {
      if (known.listing === undefined || !(error instanceof HearthError) || error.code !== "network") throw error;
      return known.listing;
    }
  }

  /** Every file is whole: from now on this is the version that loads offline, and older ones can go. */
  async #settle(): Promise<void> {
    const { store, onStorageError } = this.#options;
    if (store === undefined || this.#storeFailed) return; // what is not whole in the store is not settled
    const listing = await this.#listing;
    await guarded(onStorageError, async () => {
      await store.setUse(this.id, { loadedAt: Date.now() });
      if (listing === undefined) return;
      await store.putListing(this.id, listing);
      for (const record of await store.records(this.id)) {
        if (listing.files[record.file]?.hash !== record.validator) await store.dropVersion(record);
      }
    });
  }
}

function hubLocation(repo: string, { revision = "main", token, endpoint = HUB, retry }: CheckpointOptions): Location {
  if (!/^https?:\/\/[^/]/.test(endpoint)) {
    throw new HearthError("invalid-options", `endpoint: expected the http(s) address of the Hub or a mirror, found ${JSON.stringify(endpoint)}`);
  }
  const root = endpoint.replace(/\/+$/, "");
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const hub = { endpoint: root, repo, revision, headers };
  return {
    // Revisions are stored apart: a page may load two of one repo.
    id: revision === "main" ? repo : `${repo}@${revision}`,
    headers,
    absentStatuses: [], // the listing says what is there
    list: (known, signal) => hubListing(hub, known.listing, { signal, retry: patience(known.listing !== undefined, retry) }),
    folder: (listing) => `${root}/${repo}/resolve/${listing?.commit}/`,
    links: token === undefined ? undefined : (listing) => new SignedLinks(hub, listing),
  };
}

function folderLocation(address: string, { baseUrl, retry }: CheckpointOptions): Location {
  const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(address) || address.startsWith(".") || address.startsWith("/");
  const base = baseUrl ?? globalThis.location?.href;
  const url = isAddress && URL.canParse(address, base) ? new URL(address, base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new HearthError(
      "invalid-options",
      `model: expected a Hub id such as "org/name", an http(s) address, or a path that begins with "./" or "/", found ${JSON.stringify(address)}`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.hash = "";
  const location = {
    id: url.href,
    headers: {},
    // Stores such as S3 answer 403 for a file that they do not have, unless listing is allowed.
    absentStatuses: [403, 404, 410],
    folder: () => url.href,
  };
  return {
    ...location,
    async list({ listing, hasFiles }, signal) {
      try {
        const manifest = await fetchJson(remoteFile(location, undefined, MANIFEST), { signal, retry: patience(hasFiles, retry) });
        return manifest === undefined ? undefined : parseManifest(manifest.document, url.href);
      } catch (error) {
        if (!hasFiles || !(error instanceof HearthError) || error.code !== "network") throw error;
        return listing; // offline; most folders have none
      }
    },
  };
}

/** Where something stored can stand in for an answer, one failure is enough. */
function patience(hasFallback: boolean, retry: RetryPolicy = DEFAULT_RETRY): RetryPolicy {
  return hasFallback ? { ...retry, attempts: 1 } : retry;
}

function remoteFile(location: Omit<Location, "list">, listing: Listing | undefined, name: string): RemoteFile {
  if (name === "" || name.startsWith("/") || name.split("/").includes("..")) {
    throw new HearthError("corrupt-checkpoint", `expected the name of a file inside the checkpoint, found ${JSON.stringify(name)}`);
  }
  const { headers, absentStatuses } = location;
  const url = new URL(location.folder(listing));
  url.pathname += name.split("/").map(encodeURIComponent).join("/");
  return { name, url: url.href, headers, absentStatuses, isKnown: listing !== undefined };
}

/** Pass events on, with word of a slow network; that is told when it changes too, because little else happens then. */
function pacedProgress(onProgress: (progress: FileProgress) => void) {
  const pass = throttled(onProgress);
  let last: FileProgress | undefined;
  let slow: Pick<FileProgress, "slow"> = {};
  return {
    report(progress: FileProgress): void {
      last = progress;
      pass({ ...progress, ...(!progress.fromCache && slow) });
    },
    setSlow(isSlow: boolean): void {
      slow = isSlow ? { slow: true } : {};
      if (last) onProgress({ ...last, ...slow });
    },
  };
}

/** Pass on an event at most ten times a second, and each file's last. */
function throttled(onProgress: (progress: FileProgress) => void): (progress: FileProgress) => void {
  let last = -Infinity;
  return (progress) => {
    const now = performance.now();
    if (progress.loadedBytes < progress.totalBytes && now - last < PROGRESS_MS) return;
    last = now;
    onProgress(progress);
  };
}
