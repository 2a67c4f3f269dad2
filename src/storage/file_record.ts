import type { FileFacts } from "./answers.ts";
import { checksum } from "./checksum.ts";
import type { HashState } from "./sha256.ts";

/** Which file of which checkpoint. */
export interface FileKey {
  checkpoint: string;
  file: string;
}

/** What is stored of one version of a file; written with every chunk, or after the chunk's file, so that it is never ahead of the bytes. */
export interface FileRecord extends FileKey, FileFacts {
  /** Under which name the chunks lie: apart for every version, so that an old one serves until a new one is whole. */
  place: string;
  chunkBytes: number;
  /** One byte per chunk: 1 where it is stored. */
  present: Uint8Array<ArrayBuffer>;
  /** The checksum of every chunk; 0 where none is known. */
  checksums: Uint32Array<ArrayBuffer>;
  /** The hash of the file's first chunks, to go on from. */
  hashed?: { chunks: number; state: HashState };
  /** Whether the whole file was checked against the hash that its validator names. */
  isVerified: boolean;
  /** When the last chunk was stored, in milliseconds since 1970. */
  savedAt: number;
}

/** A chunk, and how the record changes with it. */
export interface ChunkWrite {
  index: number;
  bytes: Uint8Array<ArrayBuffer>;
  checksum: number;
  hashed?: FileRecord["hashed"];
}

/** A record of this release or an earlier one: the first had neither places nor verification, the second longer digests. */
type EarlierRecord = Omit<FileRecord, "place" | "isVerified" | "checksums"> & Partial<FileRecord> & { digests?: Uint8Array };

/** The record of a version of which nothing is stored yet. */
export function freshRecord(key: FileKey, { byteLength, validator }: FileFacts, chunkBytes: number): FileRecord {
  const chunks = Math.ceil(byteLength / chunkBytes);
  const place = `${key.file}@${validator}`;
  const empty = { present: new Uint8Array(chunks), checksums: new Uint32Array(chunks) };
  return { checkpoint: key.checkpoint, file: key.file, byteLength, validator, place, chunkBytes, ...empty, isVerified: false, savedAt: Date.now() };
}

/** Bring a record that an earlier release wrote to today's form; its chunks stay where they lie. */
export function upgradedRecord(record: EarlierRecord): FileRecord {
  const { digests: _ofAnEarlierRelease, ...kept } = record;
  return { place: record.file, isVerified: false, checksums: new Uint32Array(record.present.byteLength), ...kept };
}

/** Where a chunk begins and ends in its file. */
export function chunkExtent({ byteLength, chunkBytes }: FileRecord, index: number): { begin: number; end: number } {
  return { begin: index * chunkBytes, end: Math.min((index + 1) * chunkBytes, byteLength) };
}

/** Whether every chunk is stored. */
export function isComplete({ present }: FileRecord): boolean {
  return present.every((stored) => stored === 1);
}

/** Bytes of a file that are stored. */
export function presentBytes(record: FileRecord): number {
  const lengths = [...record.present].map((stored, index) => {
    const { begin, end } = chunkExtent(record, index);
    return stored * (end - begin);
  });
  return lengths.reduce((sum, bytes) => sum + bytes, 0);
}

/** Whether these are the bytes that were stored for a chunk, as far as its length and checksum tell. */
export function isIntact(record: FileRecord, index: number, bytes: Uint8Array): boolean {
  const { begin, end } = chunkExtent(record, index);
  const expected = record.checksums[index];
  return bytes.byteLength === end - begin && (expected === 0 || expected === checksum(bytes));
}

/** Bytes of a checkpoint's files that are not stored yet in any version, given its records. */
export function missingBytes(files: readonly { name: string; byteLength: number }[], records: readonly FileRecord[]): number {
  const stored = (name: string) => records.filter(({ file }) => file === name).map(presentBytes);
  return files.reduce((sum, { name, byteLength }) => sum + byteLength - Math.max(0, ...stored(name)), 0);
}

/** A record with one more chunk. */
export function withChunk(record: FileRecord, { index, checksum, hashed }: ChunkWrite): FileRecord {
  const present = record.present.slice();
  present[index] = 1;
  const checksums = record.checksums.slice();
  checksums[index] = checksum;
  // A hash does not outlive a change of what it covers, and is of no use where a chunk that it covers was not stored.
  const outdated = record.hashed !== undefined && index < record.hashed.chunks;
  const known = hashed ?? (outdated ? undefined : record.hashed);
  const isStored = known !== undefined && present.subarray(0, known.chunks).every((stored) => stored === 1);
  const isVerified = record.isVerified && record.present[index] === 0; // a chunk that is replaced may not be what was verified
  return { ...record, present, checksums, isVerified, hashed: isStored ? known : undefined, savedAt: Date.now() };
}
