import { HearthError } from "../errors.ts";

import { checksum } from "./checksum.ts";
import { chunkExtent, isComplete, isIntact, type FileRecord } from "./file_record.ts";
import type { Listing } from "./listing.ts";
import type { ShardStore } from "./shard_store.ts";
import { readTarHeader, TAR_BLOCK, tarHeader, tarPadding } from "./tar.ts";

// A stored model as one file: a plain tar of the checkpoint's files, which any tool unpacks, behind a manifest of hashes.

/** The first entry of an exported model. */
interface Manifest {
  format: 1;
  id: string;
  /** By which the model loads offline; without it for a folder that has none. */
  listing?: Listing;
  files: { file: string; byteLength: number; validator: string; chunkBytes: number; /** The checksum of every chunk. */ chunks: number[] }[];
}

const MANIFEST = "hearth-export.json";
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024; // a terabyte has 65,536 chunks, and each takes at most 13 bytes of manifest

/** Stream a stored model as one file, chunk by chunk as the reader asks for it. */
export async function exportStoredModel(id: string, store: ShardStore): Promise<ReadableStream<Uint8Array>> {
  const listing = await store.listing(id);
  const records = (await store.records(id)).filter(({ file, validator }) => listing === undefined || listing.files[file]?.hash === validator);
  if (records.length === 0 || !records.every(isComplete)) {
    throw new HearthError("storage", `${id}: expected a model that is stored whole, found ${records.length === 0 ? "none" : "parts of one"}; load it once, then export it`);
  }
  const bytes = archiveBytes(id, listing, records, store);
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await bytes.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void bytes.return(undefined),
  }, { highWaterMark: 0 });
}

/** Store an exported model, checking every chunk; resolves to its id. Nothing in the file is trusted: hashes are checked again by the next load. */
export async function importStoredModel(archive: Blob, store: ShardStore): Promise<string> {
  let position = 0;
  const take = async (byteLength: number) => {
    if (position + byteLength > archive.size) throw damaged(`expected at least ${position + byteLength} bytes, found ${archive.size}`);
    const bytes = new Uint8Array(await archive.slice(position, position + byteLength).arrayBuffer());
    position += byteLength;
    return bytes;
  };
  const entry = async (name: string, byteLength?: number) => {
    const found = readTarHeader(await take(TAR_BLOCK));
    if (found?.name === name && (byteLength === undefined || found.byteLength === byteLength)) return found.byteLength;
    throw damaged(`expected ${name}${byteLength === undefined ? "" : ` of ${byteLength} bytes`}, found ${found ? `${found.name} of ${found.byteLength} bytes` : "no tar entry"}`);
  };
  const manifestBytes = await entry(MANIFEST);
  if (manifestBytes > MAX_MANIFEST_BYTES) throw damaged(`expected a manifest of at most ${MAX_MANIFEST_BYTES} bytes, found ${manifestBytes}`);
  const manifest = parseManifest(new TextDecoder().decode(await take(manifestBytes)), store.chunkBytes);
  position += tarPadding(manifestBytes);
  for (const { file, byteLength, validator, chunks } of manifest.files) {
    await entry(file, byteLength);
    const record = await store.begin({ checkpoint: manifest.id, file }, { byteLength, validator });
    for (const [index, expected] of chunks.entries()) {
      const { begin, end } = chunkExtent(record, index);
      const bytes = await take(end - begin);
      const found = checksum(bytes);
      if (found !== expected) throw damaged(`expected part ${index} of ${file} with XXH32 ${expected}, found ${found}`);
      await store.putChunk(record, { index, bytes, checksum: found });
    }
    position += tarPadding(byteLength);
  }
  if (manifest.listing) await store.putListing(manifest.id, manifest.listing);
  return manifest.id;
}

async function* archiveBytes(id: string, listing: Listing | undefined, records: readonly FileRecord[], store: ShardStore): AsyncGenerator<Uint8Array> {
  const files: Manifest["files"] = [];
  for (const record of records) {
    const { file, byteLength, validator, chunkBytes, checksums } = record;
    const chunks: number[] = [];
    for (const [index, known] of checksums.entries()) chunks.push(known || checksum(await storedChunk(store, record, index)));
    files.push({ file, byteLength, validator, chunkBytes, chunks });
  }
  const manifest = new TextEncoder().encode(JSON.stringify({ format: 1, id, listing, files } satisfies Manifest, undefined, 1));
  yield tarHeader(MANIFEST, manifest.byteLength);
  yield manifest;
  yield new Uint8Array(tarPadding(manifest.byteLength));
  for (const record of records) {
    yield tarHeader(record.file, record.byteLength);
    for (const index of record.present.keys()) yield storedChunk(store, record, index);
    yield new Uint8Array(tarPadding(record.byteLength));
  }
  yield new Uint8Array(2 * TAR_BLOCK); // the end of a tar
}

async function storedChunk(store: ShardStore, record: FileRecord, index: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await store.chunk(record, index);
  if (bytes && isIntact(record, index, bytes)) return bytes;
  throw new HearthError("storage", `${record.file}: part ${index} is gone or damaged in this browser's storage; load the model once, which repairs it, then export it`);
}

function parseManifest(text: string, chunkBytes: number): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new HearthError("corrupt-checkpoint", "the exported model's manifest is no JSON", { cause });
  }
  const manifest = parsed as Manifest;
  const isSound = manifest?.format === 1 && typeof manifest.id === "string" && Array.isArray(manifest.files) && manifest.files.every((file) =>
    typeof file?.file === "string" && typeof file.validator === "string" && Number.isSafeInteger(file.byteLength) && file.chunkBytes === chunkBytes
      && Array.isArray(file.chunks) && file.chunks.length === Math.ceil(file.byteLength / chunkBytes));
  if (!isSound) throw damaged(`expected a manifest of format 1 with parts of ${chunkBytes} bytes, found another`);
  return manifest;
}

function damaged(finding: string): HearthError {
  return new HearthError("corrupt-checkpoint", `the exported model is damaged or no export of Hearth: ${finding}`);
}
