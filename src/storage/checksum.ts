import { plainXxh32 } from "./plain_xxh32.ts";

/**
 * The XXH32 of a stored chunk, which shows that storage changed or lost some of it: every load checks every chunk, so it
 * has to be much faster than reading. Whether the content is the publisher's is told by the file's SHA-256, once.
 */
export async function checksum(bytes: Uint8Array): Promise<number> {
  const { wasmHasher } = await import("./wasm_hashes.ts"); // loaded where something is stored, as its 20 kB are not needed elsewhere
  const hasher = await wasmHasher("xxh32");
  if (hasher === undefined) return plainXxh32(bytes);
  const digest = hasher.init().update(bytes).digest("binary");
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
