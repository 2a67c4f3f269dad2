import type { FileFacts } from "../../src/storage/answers.ts";
import { LeaseLostError } from "../../src/storage/connection.ts";
import { freshRecord, withChunk, type ChunkWrite, type FileKey, type FileRecord } from "../../src/storage/file_record.ts";
import type { Listing } from "../../src/storage/listing.ts";
import type { ShardStore, UseRecord } from "../../src/storage/shard_store.ts";

/** Bytes that differ at every position that a mistake would mix up. */
export function patternBytes(byteLength: number, salt = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: byteLength }, (_, i) => (i ^ (i >>> 8) ^ (i >>> 16) ^ salt) & 255);
}

/** A shard store in memory, whose contents a test can look at and spoil. */
export class MemoryStore implements ShardStore {
  readonly chunkBytes: number;
  /** Chunks by "checkpoint|place|index". */
  readonly chunks = new Map<string, Uint8Array<ArrayBuffer>>();
  failPuts: Error | undefined;
  /** Called after a chunk was stored. */
  onPut: () => void = () => {};
  readonly #records = new Map<string, FileRecord>();
  readonly #missing = new Set<string>();
  readonly #listings = new Map<string, Listing>();
  readonly #epochs = new Map<string, number>();
  readonly #uses = new Map<string, UseRecord>();

  constructor(chunkBytes = 512 * 1024) {
    this.chunkBytes = chunkBytes;
  }

  async versions(key: FileKey): Promise<FileRecord[]> {
    return [...this.#records.values()].filter(({ checkpoint, file }) => checkpoint === key.checkpoint && file === key.file);
  }

  async begin(key: FileKey, facts: FileFacts): Promise<FileRecord> {
    return this.#begun(key, facts);
  }

  #begun(key: FileKey, facts: FileFacts): FileRecord {
    const record = this.#records.get(versionId(key, facts)) ?? freshRecord(key, facts, this.chunkBytes);
    this.#records.set(versionId(key, facts), record);
    this.#missing.delete(fileId(key));
    return record;
  }

  async putChunk(known: FileRecord, write: ChunkWrite, epoch?: number): Promise<FileRecord> {
    if (this.failPuts) throw this.failPuts;
    if (epoch !== undefined && this.#epochs.get(fileId(known)) !== epoch) throw new LeaseLostError();
    const record = withChunk(this.#begun(known, known), write);
    this.#records.set(versionId(known, known), record);
    this.chunks.set(chunkId(record, write.index), write.bytes.slice());
    this.onPut();
    return record;
  }

  async setVerified(key: FileKey, facts: FileFacts): Promise<void> {
    this.#records.set(versionId(key, facts), { ...this.#begun(key, facts), isVerified: true });
  }

  async chunk(record: FileRecord, index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.chunks.get(chunkId(record, index))?.slice();
  }

  async dropVersion(record: FileRecord): Promise<void> {
    this.#records.delete(versionId(record, record));
    deleteWithPrefix(this.chunks, `${record.checkpoint}|${record.place}|`);
  }

  async adopt(record: FileRecord, facts: FileFacts): Promise<FileRecord> {
    const adopted = { ...record, validator: facts.validator, hashed: undefined, isVerified: false };
    this.#records.delete(versionId(record, record));
    this.#records.set(versionId(record, facts), adopted);
    return adopted;
  }

  async takeLease(key: FileKey): Promise<number> {
    const epoch = (this.#epochs.get(fileId(key)) ?? 0) + 1;
    this.#epochs.set(fileId(key), epoch);
    return epoch;
  }

  async renewLease(): Promise<void> {}

  async leaseTime(): Promise<number | undefined> {
    return undefined;
  }

  async noteMissing(key: FileKey): Promise<void> {
    for (const record of await this.versions(key)) await this.dropVersion(record);
    this.#missing.add(fileId(key));
  }

  async isMissing(key: FileKey): Promise<boolean> {
    return this.#missing.has(fileId(key));
  }

  async listing(checkpoint: string): Promise<Listing | undefined> {
    return this.#listings.get(checkpoint);
  }

  async putListing(checkpoint: string, listing: Listing): Promise<void> {
    this.#listings.set(checkpoint, listing);
  }

  async records(of?: string): Promise<FileRecord[]> {
    return [...this.#records.values()].filter(({ checkpoint }) => of === undefined || checkpoint === of);
  }

  async use(checkpoint: string): Promise<UseRecord | undefined> {
    return this.#uses.get(checkpoint);
  }

  async setUse(checkpoint: string, change: Partial<UseRecord>): Promise<boolean> {
    if ((await this.records(checkpoint)).length === 0) return false;
    this.#uses.set(checkpoint, { loadedAt: 0, isPinned: false, ...this.#uses.get(checkpoint), ...change });
    return true;
  }

  async removeUnpinned(checkpoint: string): Promise<boolean> {
    if (this.#uses.get(checkpoint)?.isPinned) return false;
    await this.remove(checkpoint);
    return true;
  }

  async remove(checkpoint: string): Promise<void> {
    for (const map of [this.#records, this.chunks, this.#epochs]) deleteWithPrefix(map, `${checkpoint}|`);
    this.#listings.delete(checkpoint);
    this.#uses.delete(checkpoint);
  }
}

const fileId = ({ checkpoint, file }: FileKey) => `${checkpoint}|${file}`;
const versionId = (key: FileKey, { validator }: FileFacts) => `${fileId(key)}|${validator}`;
const chunkId = ({ checkpoint, place }: FileRecord, index: number) => `${checkpoint}|${place}|${index}`;

function deleteWithPrefix(map: Map<string, unknown>, prefix: string): void {
  for (const name of map.keys()) if (name.startsWith(prefix)) map.delete(name);
}
