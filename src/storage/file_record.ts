import type { FileFacts } from "./answers.ts";
import type { HashState } from "./sha256.ts";

/** Which file of which checkpoint. */
export interface FileKey {
  checkpoint: string;
  file: string;
}

/** What is stored of one version of a file; written in the same transaction as every chunk, so that it is never ahead of the bytes. */
export interface FileRecord extends FileKey, FileFacts {
  /** Under which name the chunks lie: apart for every version, so that an old one serves until a new one is whole. */
  place: string;
  chunkBytes: number;
  /** One byte per chunk: 1 where it is stored. */
  present: Uint8Array<ArrayBuffer>;
  /** The SHA-256 of every chunk, 32 bytes each; zeros where none is known. */
  digests: Uint8Array<ArrayBuffer>;
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
  digest: Uint8Array<ArrayBuffer>;
  hashed?: FileRecord["hashed"];
}

const DIGEST_BYTES = 32;

/** The record of a version of which nothing is stored yet. */
export function freshRecord(key: FileKey, { byteLength, validator }: FileFacts, chunkBytes: number): FileRecord {
  const chunks = Math.ceil(byteLength / chunkBytes);
  const place = `${key.file}@${validator}`;
  const empty = { present: new Uint8Array(chunks), digests: new Uint8Array(DIGEST_BYTES * chunks) };
  return { checkpoint: key.checkpoint, file: key.file, byteLength, validator, place, chunkBytes, ...empty, isVerified: false, savedAt: Date.now() };
}

/** Bring a record that an earlier release wrote to today's form; its chunks stay where they lie. */
export function upgradedRecord(record: FileRecord | (Omit<FileRecord, "place" | "digests" | "isVerified">)): FileRecord {
  if ("place" in record) return record;
  return { ...record, place: record.file, digests: new Uint8Array(DIGEST_BYTES * record.present.byteLength), isVerified: false };
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

/** The digest of one chunk, or undefined where an earlier release stored none. */
export function chunkDigest({ digests }: FileRecord, index: number): Uint8Array<ArrayBuffer> | undefined {
  const digest = digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  return digest.some((byte) => byte !== 0) ? digest : undefined;
}

/** A record with one more chunk. */
export function withChunk(record: FileRecord, { index, digest, hashed }: ChunkWrite): FileRecord {
  const present = record.present.slice();
  present[index] = 1;
  const digests = record.digests.slice();
  digests.set(digest, index * DIGEST_BYTES);
  // A hash that covers a chunk does not outlive the chunk's change.
  const kept = record.hashed !== undefined && index < record.hashed.chunks && hashed === undefined ? undefined : record.hashed;
  return { ...record, present, digests, hashed: hashed ?? kept, savedAt: Date.now() };
}

/** Whether two byte strings are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
