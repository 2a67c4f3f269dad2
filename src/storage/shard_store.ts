import { HearthError } from "../errors.ts";

import type { FileFacts } from "./answers.ts";
import { ChunkFiles } from "./chunk_files.ts";
import { Connection, LeaseLostError, storageError } from "./connection.ts";
import { freshRecord, upgradedRecord, withChunk, type ChunkWrite, type FileKey, type FileRecord } from "./file_record.ts";
import type { Listing } from "./listing.ts";

/** Where chunks of checkpoint files are kept between visits. */
export interface ShardStore {
  readonly chunkBytes: number;
  /** Every stored version of a file, the latest first. */
  versions(key: FileKey): Promise<FileRecord[]>;
  /** Start or continue a version of a file. */
  begin(key: FileKey, facts: FileFacts): Promise<FileRecord>;
  /** Store one chunk of a version; resolves, to its record as it is now, only when both are committed. An older epoch than the lease's writes nothing. */
  putChunk(record: FileRecord, write: ChunkWrite, epoch?: number): Promise<FileRecord>;
  /** Remember that a file was checked whole; resolves when the disk has it. */
  setVerified(key: FileKey, facts: FileFacts): Promise<void>;
  /** One stored chunk, or undefined when it is gone. It may lie in `into`, where that is long enough, or in memory of its own. */
  chunk(record: FileRecord, index: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Delete one version of a file. */
  dropVersion(record: FileRecord): Promise<void>;
  /** Take what an earlier release stored, under a validator that said less, for this version: to be checked against it. */
  adopt(record: FileRecord, facts: FileFacts): Promise<FileRecord>;
  /** Take the right to write a file, from whoever had it; resolves to the new epoch. */
  takeLease(key: FileKey): Promise<number>;
  /** Show that the holder of the lease is alive. */
  renewLease(key: FileKey, epoch: number): Promise<void>;
  /** When the lease was last renewed, in milliseconds since 1970. */
  leaseTime(key: FileKey): Promise<number | undefined>;
  /** Remember that the checkpoint lacks a file, and forget what was stored of it. */
  noteMissing(key: FileKey): Promise<void>;
  /** Whether the checkpoint lacked the file when the network was last asked. */
  isMissing(key: FileKey): Promise<boolean>;
  /** The listing by which a checkpoint was last loaded. */
  listing(checkpoint: string): Promise<Listing | undefined>;
  putListing(checkpoint: string, listing: Listing): Promise<void>;
  /** The records of every file of every checkpoint, or of one. */
  records(checkpoint?: string): Promise<FileRecord[]>;
  /** When a checkpoint was last loaded, and whether it is pinned; undefined before either. */
  use(checkpoint: string): Promise<UseRecord | undefined>;
  /** Change that; resolves to whether anything of the checkpoint is stored, without which nothing is changed. */
  setUse(checkpoint: string, change: Partial<UseRecord>): Promise<boolean>;
  /** Delete everything of a checkpoint. */
  remove(checkpoint: string): Promise<void>;
  /** The same, unless it is pinned; resolves to whether it was not. */
  removeUnpinned(checkpoint: string): Promise<boolean>;
}

/** What decides which checkpoint goes first when space is wanted. */
export interface UseRecord {
  /** When it was last loaded, in milliseconds since 1970; 0 for never. */
  loadedAt: number;
  isPinned: boolean;
}

// Smaller chunks read slower; of larger ones a load holds as many, which is four, and Firefox refuses values above about 255 MB.
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Open the browser's shard store, or resolve to undefined where there is none (Node, some private windows). */
export async function openShardStore(databaseName = "hearth"): Promise<ShardStore | undefined> {
  if (globalThis.indexedDB === undefined) return undefined;
  const connection = new Connection(databaseName);
  const files = new ChunkFiles(databaseName);
  try {
    // Listed first: chunks are written after their record, so a directory that had none by then has lost it.
    const directories = await files.list();
    await files.sweep(directories, await upgrade(connection));
  } catch (error) {
    // A database that cannot even be counted cannot be used; the model still loads from the network.
    if (error instanceof HearthError) return undefined;
    throw error;
  }
  return shardStore(connection, files);
}

function shardStore(connection: Connection, files: ChunkFiles): ShardStore {
  const update = async (key: FileKey, facts: FileFacts, change: (record: FileRecord) => FileRecord, alongside: (store: IDBObjectStore, fail: (error: Error) => void) => void) => {
    let updated = freshRecord(key, facts, CHUNK_BYTES);
    await connection.write((store, fail) => {
      alongside(store, fail);
      const request = store.get(versionKey(key, facts));
      request.onsuccess = () => {
        const stored = request.result as FileRecord | undefined; // only `update` and `upgrade` write under this key
        updated = change(stored ?? updated);
        store.put(updated, versionKey(key, facts));
        store.delete(missingKey(key));
      };
    });
    return updated;
  };
  const removeIf = async (checkpoint: string, mayGo: (use: UseRecord | undefined) => boolean): Promise<boolean> => {
    let gone: FileRecord[] | undefined;
    await connection.write((store) => {
      gone = undefined;
      const use = store.get(useKey(checkpoint));
      use.onsuccess = () => {
        if (!mayGo(use.result as UseRecord | undefined)) return; // only `setUse` writes under this key
        const request = store.getAll(within(["file", checkpoint]));
        request.onsuccess = () => (gone = request.result as FileRecord[]); // only this module writes under these keys
        for (const kind of ["file", "chunk", "missing", "listing", "lease", "use"]) store.delete(within([kind, checkpoint]));
      };
    });
    if (gone) await files.remove(gone);
    return gone !== undefined;
  };
  return {
    chunkBytes: CHUNK_BYTES,
    async versions(key) {
      const records: FileRecord[] = await connection.read((store) => store.getAll(within(["file", key.checkpoint, key.file])));
      return records.sort((a, b) => b.savedAt - a.savedAt);
    },
    begin: (key, facts) => update(key, facts, (record) => record, () => {}),
    async putChunk(known, write, epoch) {
      // Who has lost the lease changes no file either; who loses it just then leaves one that the record's checksum tells of.
      const lease = epoch === undefined ? undefined : await connection.read<Lease | undefined>((store) => store.get(leaseKey(known)));
      if (lease?.epoch !== epoch) throw new LeaseLostError();
      // The file comes before the record, which is never ahead of it: no transaction stays open for so long.
      const isFile = await files.write(known, write.index, write.bytes).catch(async (error: unknown) => {
        throw await storageError(error);
      });
      const stored: StoredChunk = isFile ? IN_FILE : new Blob([write.bytes]);
      return update(known, known, (record) => withChunk(record, write), (store, fail) => {
        // Asked for first, so that the bytes move while the lease is read; a lost one takes them back.
        store.put(stored, chunkKey(known, write.index));
        whileLeased(store, known, epoch, fail, () => {});
      });
    },
    setVerified: (key, facts) => connection.writeStrictly((store) => {
      const request = store.get(versionKey(key, facts));
      request.onsuccess = () => {
        const stored = request.result as FileRecord | undefined; // as above; undefined when it was deleted meanwhile
        if (stored) store.put({ ...stored, isVerified: true }, versionKey(key, facts));
      };
    }),
    async chunk(record, index, into) {
      const stored = await connection.read<StoredChunk | undefined>((store) => store.get(chunkKey(record, index)));
      if (stored === IN_FILE) return files.read(record, index, into);
      if (!(stored instanceof Blob)) return stored;
      try {
        return new Uint8Array(await stored.arrayBuffer());
      } catch {
        return undefined; // the browser lost the file behind it
      }
    },
    async dropVersion(record) {
      await connection.write((store) => deleteVersion(store, record));
      await files.remove([record]);
    },
    async adopt(record, facts) {
      const adopted: FileRecord = { ...record, validator: facts.validator, hashed: undefined, isVerified: false };
      await connection.write((store) => {
        store.delete(versionKey(record, record));
        store.put(adopted, versionKey(record, facts));
      });
      return adopted;
    },
    async takeLease(key) {
      let epoch = 1;
      await connection.write((store) => {
        const request = store.get(leaseKey(key));
        request.onsuccess = () => {
          epoch = ((request.result as Lease | undefined)?.epoch ?? 0) + 1;
          store.put({ epoch, renewedAt: Date.now() } satisfies Lease, leaseKey(key));
        };
      });
      return epoch;
    },
    renewLease: (key, epoch) => connection.write((store, fail) => whileLeased(store, key, epoch, fail, () => {
      store.put({ epoch, renewedAt: Date.now() } satisfies Lease, leaseKey(key));
    })),
    leaseTime: async (key) => (await connection.read<Lease | undefined>((store) => store.get(leaseKey(key))))?.renewedAt,
    async noteMissing(key) {
      let gone: FileRecord[] = [];
      await connection.write((store) => {
        store.put(Date.now(), missingKey(key));
        const request = store.getAll(within(["file", key.checkpoint, key.file]));
        request.onsuccess = () => {
          gone = request.result as FileRecord[]; // only this module writes under these keys
          for (const record of gone) deleteVersion(store, record);
        };
      });
      await files.remove(gone);
    },
    isMissing: async (key) => (await connection.read((store) => store.count(missingKey(key)))) > 0,
    listing: (checkpoint) => connection.read((store) => store.get(["listing", checkpoint])),
    putListing: (checkpoint, listing) => connection.write((store) => void store.put(listing, ["listing", checkpoint])),
    records: (checkpoint) => connection.read((store) => store.getAll(within(checkpoint === undefined ? ["file"] : ["file", checkpoint]))),
    use: (checkpoint) => connection.read((store) => store.get(useKey(checkpoint))),
    async setUse(checkpoint, change) {
      let isStored = false;
      await connection.write((store) => {
        const count = store.count(within(["file", checkpoint]));
        const use = store.get(useKey(checkpoint));
        use.onsuccess = () => {
          isStored = count.result > 0;
          if (isStored) store.put({ loadedAt: 0, isPinned: false, ...(use.result as UseRecord | undefined), ...change } satisfies UseRecord, useKey(checkpoint));
        };
      });
      return isStored;
    },
    async remove(checkpoint) {
      await removeIf(checkpoint, () => true);
    },
    removeUnpinned: (checkpoint) => removeIf(checkpoint, (use) => use?.isPinned !== true),
  };
}

const IN_FILE = "file";

/**
 * What a chunk's key holds: where the bytes are in a file, only word of that. Elsewhere a blob: browsers read blobs at twice
 * the speed of bytes, which the first release stored.
 */
type StoredChunk = typeof IN_FILE | Blob | Uint8Array<ArrayBuffer>;

/** Who writes a file; a tab that was frozen finds a higher epoch when it wakes. */
interface Lease {
  epoch: number;
  renewedAt: number;
}

/** Go on with a write if the lease is still this epoch's, else fail it: checked inside the transaction. */
function whileLeased(store: IDBObjectStore, key: FileKey, epoch: number | undefined, fail: (error: Error) => void, work: () => void): void {
  if (epoch === undefined) return work();
  const request = store.get(leaseKey(key));
  request.onsuccess = () => {
    const lease = request.result as Lease | undefined; // undefined when the model was removed meanwhile
    if (lease?.epoch === epoch) work();
    else fail(new LeaseLostError());
  };
}

function deleteVersion(store: IDBObjectStore, record: FileRecord): void {
  store.delete(versionKey(record, record));
  store.delete(within(["chunk", record.checkpoint, record.place]));
}

/** Bring records that earlier releases wrote to today's form and keys, chunks staying where they are; resolves to all records. */
async function upgrade(connection: Connection): Promise<FileRecord[]> {
  const records: FileRecord[] = await connection.read((store) => store.getAll(within(["file"])));
  if (records.every(({ checksums }: Partial<FileRecord>) => checksums)) return records;
  await connection.write((store) => {
    const request = store.openCursor(within(["file"]));
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) return;
      const record = upgradedRecord(cursor.value as FileRecord); // only this module writes under these keys
      cursor.delete();
      store.put(record, versionKey(record, record));
      cursor.continue();
    };
  });
  return records.map(upgradedRecord);
}

const versionKey = ({ checkpoint, file }: FileKey, { validator }: FileFacts) => ["file", checkpoint, file, validator];
const chunkKey = ({ checkpoint, place }: FileRecord, index: number) => ["chunk", checkpoint, place, index];
const missingKey = ({ checkpoint, file }: FileKey) => ["missing", checkpoint, file];
const useKey = (checkpoint: string) => ["use", checkpoint];
const leaseKey = ({ checkpoint, file }: FileKey) => ["lease", checkpoint, file];

/** Every key that begins with `prefix`: arrays sort after numbers and strings, so [] ends the range. */
function within(prefix: string[]): IDBKeyRange {
  return IDBKeyRange.bound(prefix, [...prefix, []]);
}
