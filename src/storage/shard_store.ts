import { createStore, promisifyRequest, type UseStore } from "idb-keyval";

import { HearthError } from "../errors.ts";

import type { FileFacts } from "./http.ts";

/** Which file of which checkpoint. */
export interface FileKey {
  checkpoint: string;
  file: string;
}

/** What is stored of one file; written in the same transaction as every chunk, so that it is never ahead of the bytes. */
export interface FileRecord extends FileKey, FileFacts {
  chunkBytes: number;
  /** One byte per chunk: 1 where it is stored. */
  present: Uint8Array<ArrayBuffer>;
  /** When the last chunk was stored, in milliseconds since 1970. */
  savedAt: number;
}

/** Where chunks of checkpoint files are kept between visits. */
export interface ShardStore {
  readonly chunkBytes: number;
  /** What is stored of a file, or undefined when nothing is known of it. */
  record(key: FileKey): Promise<FileRecord | undefined>;
  /** Start or continue a file; chunks of another version of it are deleted. */
  begin(key: FileKey, facts: FileFacts): Promise<FileRecord>;
  /** Store one chunk; resolves only when it and the file's record are committed. */
  putChunk(key: FileKey, facts: FileFacts, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** One stored chunk, or undefined when it is gone. */
  chunk(key: FileKey, index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Remember that the checkpoint lacks a file, and forget what was stored of it. */
  noteMissing(key: FileKey): Promise<void>;
  /** Whether the checkpoint lacked the file when the network was last asked. */
  isMissing(key: FileKey): Promise<boolean>;
  /** The records of every file of every checkpoint. */
  records(): Promise<FileRecord[]>;
  /** Delete everything of a checkpoint. */
  remove(checkpoint: string): Promise<void>;
}

// Smaller chunks read slower, larger ones double peak memory, and Firefox refuses values above about 255 MB.
const CHUNK_BYTES = 16 * 1024 * 1024;

/** Open the browser's shard store, or resolve to undefined where there is none (Node, some private windows). */
export async function openShardStore(databaseName = "hearth"): Promise<ShardStore | undefined> {
  if (globalThis.indexedDB === undefined) return undefined;
  const connection = new Connection(databaseName);
  try {
    await connection.read((store) => store.count());
  } catch (error) {
    // A database that cannot even be counted cannot be used; the model still loads from the network.
    if (error instanceof HearthError) return undefined;
    throw error;
  }
  return shardStore(connection);
}

function shardStore(connection: Connection): ShardStore {
  return {
    chunkBytes: CHUNK_BYTES,
    record: (key) => connection.read<FileRecord | undefined>((store) => store.get(fileKey(key))),
    async begin(key, facts) {
      let record = freshRecord(key, facts);
      await connection.write((store) => currentRecord(store, key, facts, (current) => void (record = current)));
      return record;
    },
    putChunk: (key, facts, index, bytes) =>
      connection.write((store) => currentRecord(store, key, facts, (record) => {
        record.present[index] = 1;
        store.put({ ...record, savedAt: Date.now() }, fileKey(key));
        // A view's whole buffer would be stored with it.
        store.put(bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice(), chunkKey(key, index));
      })),
    chunk: (key, index) => connection.read((store) => store.get(chunkKey(key, index))),
    noteMissing: (key) => connection.write((store) => {
      store.put(Date.now(), missingKey(key));
      store.delete(fileKey(key));
      store.delete(within(["chunk", key.checkpoint, key.file]));
    }),
    isMissing: async (key) => (await connection.read((store) => store.count(missingKey(key)))) > 0,
    records: () => connection.read((store) => store.getAll(within(["file"]))),
    remove: (checkpoint) => connection.write((store) => {
      for (const kind of ["file", "chunk", "missing"]) store.delete(within([kind, checkpoint]));
    }),
  };
}

/**
 * Read a file's record inside a write, replacing it and its chunks when they belong to another version.
 * Done in the transaction, because another tab may have changed the record since it was last read.
 */
function currentRecord(store: IDBObjectStore, key: FileKey, facts: FileFacts, use: (record: FileRecord) => void): void {
  const request = store.get(fileKey(key));
  request.onsuccess = () => {
    const stored = request.result as FileRecord | undefined; // only currentRecord and putChunk write under this key
    if (stored !== undefined && matches(stored, facts)) return use(stored);
    const record = freshRecord(key, facts);
    store.delete(within(["chunk", key.checkpoint, key.file]));
    store.delete(missingKey(key));
    store.put(record, fileKey(key));
    use(record);
  };
}

function matches(record: FileRecord, facts: FileFacts): boolean {
  return record.validator === facts.validator && record.byteLength === facts.byteLength && record.chunkBytes === CHUNK_BYTES;
}

function freshRecord(key: FileKey, { byteLength, validator }: FileFacts): FileRecord {
  const present = new Uint8Array(Math.ceil(byteLength / CHUNK_BYTES));
  return { ...key, byteLength, validator, chunkBytes: CHUNK_BYTES, present, savedAt: Date.now() };
}

const fileKey = ({ checkpoint, file }: FileKey) => ["file", checkpoint, file];
const chunkKey = ({ checkpoint, file }: FileKey, index: number) => ["chunk", checkpoint, file, index];
const missingKey = ({ checkpoint, file }: FileKey) => ["missing", checkpoint, file];

/** Every key that begins with `prefix`: arrays sort after numbers and strings, so [] ends the range. */
function within(prefix: string[]): IDBKeyRange {
  return IDBKeyRange.bound(prefix, [...prefix, []]);
}

class Connection {
  readonly #databaseName: string;
  #useStore: UseStore;

  constructor(databaseName: string) {
    this.#databaseName = databaseName;
    this.#useStore = createStore(databaseName, "chunks");
  }

  async read<T>(ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return this.#use("readonly", (store) => promisifyRequest(ask(store)));
  }

  async write(work: (store: IDBObjectStore) => void): Promise<void> {
    await this.#use("readwrite", (store) => {
      const committed = commit(store.transaction);
      work(store);
      return committed;
    });
  }

  async #use<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const attempt = () => this.#useStore(mode, (store) => {
      // Close for another tab that wants to delete or upgrade the database; the next use reopens it.
      store.transaction.db.onversionchange = () => store.transaction.db.close();
      return work(store);
    });
    try {
      return await attempt();
    } catch (error) {
      if (!isLostConnection(error)) throw await storageError(error);
    }
    this.#useStore = createStore(this.#databaseName, "chunks");
    try {
      return await attempt();
    } catch (error) {
      throw await storageError(error);
    }
  }
}

/** Resolve when a transaction is committed: on a full disk its requests succeed first and only the commit fails. */
function commit(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("The transaction was aborted", "AbortError"));
  });
}

// Browsers close connections of background pages and of cleared sites without asking.
function isLostConnection(error: unknown): boolean {
  return error instanceof DOMException && ["InvalidStateError", "AbortError", "UnknownError"].includes(error.name);
}

async function storageError(cause: unknown): Promise<HearthError> {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "Error";
  if (name !== "QuotaExceededError") {
    return new HearthError("storage", `the browser's storage failed (${name}: ${(cause as Error).message}); reload the page`, { cause });
  }
  // The quota that browsers report may be made up, so what is used is the number to trust.
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
  const megabytes = (bytes: number | undefined) => (bytes === undefined ? "unknown" : `${Math.round(bytes / 1e6)} MB`);
  return new HearthError(
    "storage",
    `the browser refused to store more: this site uses ${megabytes(estimate?.usage)} and may use up to ` +
      `${megabytes(estimate?.quota)}; remove stored models or free disk space`,
    { cause },
  );
}
