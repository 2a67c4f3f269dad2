import type { ByteFile } from "../../src/formats/byte_file.ts";

/** A file in memory that records which ranges were read. */
export function memoryFile(name: string, bytes: Uint8Array): ByteFile & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    name,
    byteLength: bytes.byteLength,
    reads,
    async read(begin, end) {
      reads.push([begin, end]);
      return bytes.slice(begin, end);
    },
  };
}

/** A safetensors file of a header, as written, and data. */
export function safetensorsBytes(header: string | Uint8Array, data: Uint8Array): Uint8Array {
  const headerBytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + headerBytes.byteLength + data.byteLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes.byteLength), true);
  bytes.set(headerBytes, 8);
  bytes.set(data, 8 + headerBytes.byteLength);
  return bytes;
}
