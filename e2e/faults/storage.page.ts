// Runs in a page: downloads through the storage code as the worker does, and spoils what is stored.
import { HearthError } from "../../src/errors.ts";
import type { FileProgress } from "../../src/storage/checkpoint.ts";
import { ChunkFiles } from "../../src/storage/chunk_files.ts";
import type { FileRecord } from "../../src/storage/file_record.ts";
import type { RetryPolicy } from "../../src/storage/retry.ts";
import { openShardStore, type ShardStore } from "../../src/storage/shard_store.ts";
import { openCheckpoint } from "../../src/storage/source.ts";
import { listStoredModels, removeStoredModel } from "../../src/storage/stored_models.ts";

/** What to read, and how. */
export interface ReadRequest {
  source: string;
  files: string[];
  endpoint?: string;
  revision?: string;
  token?: string;
  retry?: RetryPolicy;
  store?: boolean;
  /** Go on without the store once it fails. */
  survivesStorage?: boolean;
  /** Stop once so many bytes have arrived. */
  abortAfterBytes?: number;
  /** Once so many bytes have arrived, stand still, as a frozen tab does, until this address answers. */
  freeze?: { afterBytes: number; url: string };
}

/** What came of it. */
export interface Reading {
  /** SHA-256 of each file as it was handed on, in hexadecimal; undefined for one that is not there. */
  hashes: Record<string, string | undefined>;
  verdict?: string;
  error?: { name: string; code?: string; message: string };
  progress: FileProgress[];
  /** What the store failed with while reading went on. */
  storageErrors: string[];
  elapsedMs: number;
}

async function hexDigest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function browserStore(): Promise<ShardStore> {
  const store = await openShardStore();
  if (!store) throw new Error("this browser has no storage");
  return store;
}

/** Read files whole and check them, as a load does; reads again what had to be repaired. */
export async function readFiles(request: ReadRequest): Promise<Reading> {
  const { source, files, store = true, survivesStorage, abortAfterBytes = Infinity, freeze, ...options } = request;
  const controller = new AbortController();
  const reading: Reading = { hashes: {}, progress: [], storageErrors: [], elapsedMs: 0 };
  const begun = performance.now();
  let isFrozen = false;
  const onProgress = (event: FileProgress) => {
    reading.progress.push(event);
    if (event.loadedBytes >= abortAfterBytes) controller.abort();
    if (!freeze || isFrozen || event.loadedBytes < freeze.afterBytes) return;
    isFrozen = true;
    const request = new XMLHttpRequest(); // a synchronous one holds the whole thread
    request.open("GET", freeze.url, false);
    request.send();
  };
  const onStorageError = survivesStorage ? (error: HearthError) => void reading.storageErrors.push(error.message) : undefined;
  try {
    const checkpoint = openCheckpoint(source, { ...options, store: store ? await browserStore() : undefined, onProgress, onStorageError });
    do {
      const opened = [];
      for (const name of files) opened.push([name, await checkpoint.open(name, controller.signal)] as const);
      for (const [name, file] of opened) reading.hashes[name] = file && (await hexDigest(await file.read(0, file.byteLength, controller.signal)));
      reading.verdict = await checkpoint.verify(controller.signal);
    } while (reading.verdict === "repaired");
  } catch (error) {
    const { name, message } = error as Error;
    reading.error = { name, code: error instanceof HearthError ? error.code : undefined, message };
  }
  reading.elapsedMs = performance.now() - begun;
  return reading;
}

/** What is stored of a checkpoint, read back chunk by chunk. */
export async function storedState(checkpoint: string) {
  const store = await browserStore();
  const records = await store.records(checkpoint);
  return Promise.all(records.map(async (record) => {
    const { file, byteLength, present, isVerified, validator } = record;
    const chunks = [...present.keys()].map(async (index) => {
      const bytes = await store.chunk(record, index);
      return bytes && hexDigest(bytes);
    });
    return { file, byteLength, validator, isVerified, present: [...present], chunkHashes: await Promise.all(chunks) };
  }));
}

/** Change one bit of a stored chunk, behind the record's back; tells where it lies. Files are written in workers only. */
export async function flipStoredBit({ checkpoint, file, index, offset }: { checkpoint: string; file: string; index: number; offset: number }): Promise<"file" | "database"> {
  const store = await browserStore();
  const [record] = await store.versions({ checkpoint, file });
  const bytes = await store.chunk(record, index);
  if (!bytes) throw new Error(`${file} has no chunk ${index}`);
  bytes[offset] ^= 1 << (offset % 8);
  const key = ["chunk", checkpoint, record.place, index];
  let isFile = false;
  await inDatabase((objects) => {
    const request = objects.get(key);
    request.onsuccess = () => {
      isFile = request.result === "file";
      if (!isFile) objects.put(new Blob([bytes]), key);
    };
  });
  if (isFile && !(await new ChunkFiles("hearth").write(record, index, bytes))) throw new Error(`the file of ${file} cannot be written`);
  return isFile ? "file" : "database";
}

async function inDatabase(change: (objects: IDBObjectStore) => void): Promise<void> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open("hearth");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  await new Promise<void>((resolve, reject) => {
    const transaction = database.transaction("chunks", "readwrite");
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    change(transaction.objectStore("chunks"));
  });
  database.close();
}

/** Rewrite what is stored into the form in which release 0.1.0 stored it. */
export async function writeAsRelease010({ checkpoint, etag }: { checkpoint: string; etag: string }): Promise<void> {
  const store = await browserStore();
  for (const record of await store.records(checkpoint)) {
    const { file, byteLength, chunkBytes, present, savedAt } = record;
    const old = { checkpoint, file, byteLength, validator: `etag:${etag}`, chunkBytes, present, savedAt };
    const chunks = await Promise.all([...present.keys()].map((index) => store.chunk(record, index)));
    await store.dropVersion(record);
    await inDatabase((objects) => {
      objects.delete(["listing", checkpoint]);
      objects.put(old, ["file", checkpoint, file]);
      chunks.forEach((bytes, index) => objects.put(bytes, ["chunk", checkpoint, file, index]));
    });
  }
}

/** The list of stored models. */
export async function listStored() {
  return listStoredModels();
}

/** Delete a model. */
export async function removeStored(id: string): Promise<void> {
  await removeStoredModel(id);
}

/** How much of its storage this site uses, in the browser's words. */
export async function storageUsage(): Promise<number> {
  return (await navigator.storage.estimate()).usage ?? NaN;
}

/** Records of a file in the store. */
export async function versions({ checkpoint, file }: { checkpoint: string; file: string }): Promise<Pick<FileRecord, "validator" | "isVerified">[]> {
  return (await (await browserStore()).versions({ checkpoint, file })).map(({ validator, isVerified }) => ({ validator, isVerified }));
}

/** When the last chunk of a file was stored. */
export async function lastWrite(key: { checkpoint: string; file: string }): Promise<number> {
  return (await (await browserStore()).versions(key))[0].savedAt;
}
