import { HearthError } from "../errors.ts";

import type { FileFacts, RemoteFile } from "./answers.ts";
import type { CheckpointFile, FileProgress, Verdict } from "./checkpoint.ts";
import { guarded } from "./connection.ts";
import type { DownloadQueue } from "./download_queue.ts";
import { isComplete, type FileKey, type FileRecord } from "./file_record.ts";
import { probe, type Probe } from "./http.ts";
import type { ListedFile } from "./listing.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import type { ShardStore } from "./shard_store.ts";
import { StoredFile } from "./stored_file.ts";
import { StreamedFile } from "./streamed_file.ts";

/** A file that can be waited for as a whole. */
export interface FinishableFile extends CheckpointFile {
  /** Wait until the file is whole and checked. */
  finish(signal?: AbortSignal): Promise<Verdict>;
}

/** What a file on the network is made of. */
export interface RemoteFileOptions {
  remote: RemoteFile;
  key: FileKey;
  /** What the checkpoint's listing says of it. */
  listed?: ListedFile;
  queue: DownloadQueue;
  /** Without a store every load comes from the network. */
  store?: ShardStore;
  retry?: RetryPolicy;
  onProgress?: (progress: FileProgress) => void;
  /** Called when the store fails; reading goes on from the network. Without it the failure ends the read. */
  onStorageError?: (error: HearthError) => void;
}

const NOTHING = new Uint8Array();

/**
 * Open a file, or resolve to undefined when the checkpoint lacks it.
 *
 * A listed file costs no request yet. Of others, one that is stored whole costs none; any other is asked for once: a
 * different version drops what was stored, and a missing one is remembered. When the network fails, a remembered answer
 * stands in: stored parts are served, and a file last known as missing is missing. Online a missing file is asked for
 * every time, because it may have appeared.
 */
export async function openRemoteFile(options: RemoteFileOptions, signal?: AbortSignal): Promise<FinishableFile | undefined> {
  const { listed } = options;
  if (listed) return fileOf(options, { byteLength: listed.byteLength, validator: listed.hash }, NOTHING);
  const { store, key } = options;
  const [record] = (await guarded(options.onStorageError, async () => store?.versions(key))) ?? [];
  if (record !== undefined && isComplete(record)) return fileOf(options, record, NOTHING);
  const knownMissing = store !== undefined && record === undefined && (await guarded(options.onStorageError, () => store.isMissing(key))) === true;
  const found = await ask(options, { record, knownMissing }, signal);
  if (found !== undefined) return fileOf(options, found, "head" in found ? found.head : NOTHING);
  if (!knownMissing) await guarded(options.onStorageError, async () => store?.noteMissing(key));
  return undefined;
}

/** Open a version of a file; other versions of an unlisted file go, because no listing would ever ask for them. */
async function fileOf(options: RemoteFileOptions, facts: FileFacts, head: Uint8Array<ArrayBuffer>): Promise<FinishableFile> {
  const { remote, key, store, retry, onProgress } = options;
  const record = store && (await guarded(options.onStorageError, () => currentRecord(store, key, facts, options.listed !== undefined)));
  if (store && record) return new StoredFile({ ...options, store }, record, head);
  const { name } = remote;
  let loadedBytes = 0;
  return new StreamedFile({
    remote, facts, retry,
    onProgress(position) {
      loadedBytes = Math.max(loadedBytes, position);
      onProgress?.({ file: name, loadedBytes, totalBytes: facts.byteLength, fromCache: false });
    },
  }, head);
}

async function currentRecord(store: ShardStore, key: FileKey, facts: FileFacts, isListed: boolean): Promise<FileRecord> {
  const versions = await store.versions(key);
  const same = versions.find(({ validator, byteLength }) => validator === facts.validator && byteLength === facts.byteLength);
  if (same) return same;
  // Releases before there were listings knew a file by its ETag; its hash will tell whether it is the same one.
  const unlisted = versions.find(({ validator, byteLength }) => isListed && byteLength === facts.byteLength && !/^(sha256|git):/.test(validator));
  if (unlisted) return store.adopt(unlisted, facts);
  if (!isListed) for (const other of versions) await store.dropVersion(other);
  return store.begin(key, facts);
}

/** Ask the network for a file; when it fails, fall back on what the store remembers. */
async function ask(
  { remote, retry = DEFAULT_RETRY }: RemoteFileOptions,
  known: { record: FileRecord | undefined; knownMissing: boolean },
  signal: AbortSignal | undefined,
): Promise<Probe | FileRecord | undefined> {
  const hasFallback = known.record !== undefined || known.knownMissing;
  try {
    const asked = { ...remote, isKnown: remote.isKnown || known.record !== undefined };
    return await probe(asked, { signal, retry: hasFallback ? { ...retry, attempts: 1 } : retry });
  } catch (error) {
    if (!hasFallback || !(error instanceof HearthError) || error.code !== "network") throw error;
    return known.record;
  }
}
