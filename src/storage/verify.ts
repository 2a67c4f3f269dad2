import { HearthError } from "../errors.ts";

import type { FileFacts, RemoteFile } from "./answers.ts";
import { checksum } from "./checksum.ts";
import { FileHash, gitValidator, isContentHash, isSha256 } from "./file_hash.ts";
import { chunkExtent, type FileKey, type FileRecord } from "./file_record.ts";
import { fetchRange } from "./http.ts";
import { collect } from "./request.ts";
import type { RetryPolicy } from "./retry.ts";
import type { ShardStore } from "./shard_store.ts";

/** What a file on the network, kept in a store, is made of. */
export interface DownloadOptions {
  remote: RemoteFile;
  key: FileKey;
  facts: FileFacts;
  store: ShardStore;
  retry?: RetryPolicy;
  /** Called with the bytes that have arrived, stored ones included. */
  onProgress?: (loadedBytes: number) => void;
}

/** A file that is stored whole, and who may write it. */
export interface Verification extends DownloadOptions {
  record: FileRecord;
  /** What was hashed while it arrived. */
  hash: FileHash | undefined;
  epoch: number;
  signal: AbortSignal;
}

/**
 * Check a stored file against the hash that its validator names. Where it differs, fetch it a second time, replace the
 * chunks that came out differently, and check again. Resolves to whether any were replaced.
 */
export async function verifyStored(file: Verification): Promise<boolean> {
  const { record, facts, store, key } = file;
  if (record.isVerified || !isContentHash(facts.validator)) return false;
  let suspects = [...record.present.keys()];
  let found = await storedHash(file, file.hash);
  let rounds = 0;
  for (; found !== facts.validator; rounds++) {
    suspects = await refetch(file, suspects);
    if (suspects.length === 0 || rounds === 2) throw wrongContent(file, found);
    found = await storedHash(file, undefined);
  }
  await store.setVerified(key, facts);
  return rounds > 0;
}

/** What the validator of the stored bytes would be. */
async function storedHash(file: Verification, begun: FileHash | undefined): Promise<string> {
  const { record, facts, signal } = file;
  if (!isSha256(facts.validator)) return gitValidator(await collect(storedChunks(file, 0)));
  const hash = begun ?? (await FileHash.resume(undefined));
  const buffer = new Uint8Array(Math.min(record.chunkBytes, record.byteLength)); // for one chunk after the other
  for (let index = hash.chunks; index < record.present.byteLength; index++) {
    signal.throwIfAborted();
    hash.add(index, await storedChunk(file, index, buffer));
  }
  return `sha256:${hash.digest()}`;
}

async function* storedChunks(file: Verification, first: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let index = first; index < file.record.present.byteLength; index++) yield storedChunk(file, index);
}

async function storedChunk({ store, record, remote }: Verification, index: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await store.chunk(record, index, into);
  if (bytes !== undefined) return bytes;
  throw new HearthError("storage", `${remote.name}: the browser dropped part ${index} while it was being checked; load again`);
}

/** Fetch chunks again and store those that came out differently; resolves to their indexes. */
async function refetch(file: Verification, suspects: readonly number[]): Promise<number[]> {
  const { remote, facts, store, retry, epoch, signal } = file;
  const different: number[] = [];
  for (const index of suspects) {
    const { begin, end } = chunkExtent(file.record, index);
    const bytes = await collect(fetchRange(remote, begin, end, facts, { signal, retry }));
    if (sameBytes(bytes, await storedChunk(file, index))) continue;
    different.push(index);
    file.record = await store.putChunk(file.record, { index, bytes, checksum: checksum(bytes) }, epoch);
  }
  return different;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}

function wrongContent({ remote, facts, record }: Verification, found: string): HearthError {
  return new HearthError(
    "corrupt-checkpoint",
    `${remote.name}: expected ${record.byteLength} bytes with ${facts.validator}, found ${found} in two downloads; ` +
      "something between the server and this page changes files: try another network, or a mirror by the option endpoint",
  );
}
