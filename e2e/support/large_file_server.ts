import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const SLICE_BYTES = 2 ** 20;

/** A `model.safetensors` too large to hold, and the small files beside it. */
export interface LargeCheckpoint {
  /** The file's length and header. */
  beginning: Buffer;
  /** What its tensors repeat. */
  block: Uint8Array;
  byteLength: number;
  /** By name. */
  others?: Record<string, string>;
}

/** The beginning of a safetensors file with this header, padded to `byteLength` where that is given. */
export function safetensorsBeginning(header: object, byteLength?: number): Buffer {
  const text = Buffer.from(JSON.stringify(header).padEnd((byteLength ?? 8) - 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([length, text]);
}

/** Serve such a checkpoint by ranges, to pages of any origin. */
export async function serveLargeCheckpoint({ beginning, block, byteLength, others = {} }: LargeCheckpoint): Promise<{ url: string; server: Server }> {
  const server = createServer(async (request, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Expose-Headers", "Content-Range");
    const other = others[request.url?.slice(1) ?? ""];
    if (other !== undefined) return void response.end(other);
    if (request.url !== "/model.safetensors") return void response.writeHead(404).end();
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const end = asked?.[2] ? Math.min(Number(asked[2]) + 1, byteLength) : byteLength;
    let position = Number(asked?.[1] ?? 0);
    response.writeHead(206, { "Content-Range": `bytes ${position}-${end - 1}/${byteLength}`, "Content-Length": end - position });
    while (position < end && !response.destroyed) {
      const source = position < beginning.byteLength ? beginning.subarray(position) : block.subarray((position - beginning.byteLength) % block.byteLength);
      const slice = source.subarray(0, Math.min(SLICE_BYTES, end - position));
      position += slice.byteLength;
      if (!response.write(slice)) await new Promise((resolve) => response.once("drain", resolve));
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, server }; // a TCP server's address is no string
}
