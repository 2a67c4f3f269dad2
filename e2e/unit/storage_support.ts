import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { FileFacts, RemoteFile } from "../../src/storage/http.ts";
import type { FileKey, FileRecord, ShardStore } from "../../src/storage/shard_store.ts";

/** What a server does to one request instead of answering it well. */
export type Fault = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array | undefined) => void;

/** A served folder that logs requests and misbehaves on demand. */
export interface FaultServer extends AsyncDisposable {
  url: string;
  files: Map<string, Uint8Array>;
  /** ETags by file; a file without one gets none. */
  etags: Map<string, string>;
  /** "GET /name bytes=a-b" of every request. */
  log: string[];
  /** Faults for the next requests, first come first served; undefined answers well. */
  faults: (Fault | undefined)[];
  /** Fault for every request that `faults` leaves. */
  always: Fault | undefined;
  remote(name: string): RemoteFile;
}

/** Start a server on a free port. */
export async function faultServer(files: Record<string, Uint8Array | string>): Promise<FaultServer> {
  const bytes = Object.entries(files).map(([name, content]) =>
    [name, typeof content === "string" ? new TextEncoder().encode(content) : content] as const);
  const http = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname.slice(1));
    server.log.push(`${request.method} /${name} ${request.headers.range ?? "whole"}`);
    const fault = server.faults.length > 0 ? server.faults.shift() : server.always;
    const content = server.files.get(name);
    if (fault !== undefined) return fault(request, response, content);
    answer(request, response, content, server.etags.get(name));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  const server: FaultServer = {
    url, files: new Map(bytes), etags: new Map(), log: [], faults: [], always: undefined,
    remote: (name) => ({ name, url: url + name, headers: {}, absentStatuses: [403, 404] }),
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

/** The range a request asks of a file, both ends included. */
export function askedRange(request: IncomingMessage, bytes: Uint8Array): { begin: number; end: number } {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (match === null) return { begin: 0, end: bytes.byteLength - 1 };
  return { begin: Number(match[1]), end: Math.min(Number(match[2]), bytes.byteLength - 1) };
}

/** Answer a request as a good server does. */
export function answer(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array | undefined, etag?: string): void {
  if (bytes === undefined) return void response.writeHead(404).end("not found");
  if (etag !== undefined) response.setHeader("ETag", etag);
  const { begin, end } = askedRange(request, bytes);
  if (begin >= bytes.byteLength) return void response.writeHead(416, { "Content-Range": `bytes */${bytes.byteLength}` }).end();
  const body = bytes.subarray(begin, end + 1);
  response.setHeader("Content-Length", body.byteLength);
  if (request.headers.range === undefined) return void response.writeHead(200).end(body);
  response.writeHead(206, { "Content-Range": `bytes ${begin}-${end}/${bytes.byteLength}` }).end(body);
}

/** Faults by name. */
export const faults = {
  status: (status: number, headers: Record<string, string> = {}): Fault => (_request, response) =>
    void response.writeHead(status, headers).end("no"),
  webPage: ((_request, response) => void response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html>")) as Fault,
  drop: ((request) => void request.socket.destroy()) as Fault,
  /** Promise the whole range, send its first bytes, and cut the connection. */
  cutAfter: (sentBytes: number): Fault => (request, response, bytes = new Uint8Array()) => {
    const { begin, end } = askedRange(request, bytes);
    response.writeHead(206, { "Content-Range": `bytes ${begin}-${end}/${bytes.byteLength}`, "Content-Length": end - begin + 1 });
    response.write(bytes.subarray(begin, Math.min(begin + sentBytes, end + 1)), () => request.socket.destroy());
  },
  /** Say nothing of the length, send the first bytes, and end as if all was well. */
  silentlyEndAfter: (sentBytes: number): Fault => (request, response, bytes = new Uint8Array()) => {
    const { begin, end } = askedRange(request, bytes);
    response.writeHead(206, { "Content-Range": `bytes ${begin}-${end}/${bytes.byteLength}` });
    response.end(bytes.subarray(begin, Math.min(begin + sentBytes, end + 1)));
  },
  /** Send the first bytes and then nothing, without ending. */
  stallAfter: (sentBytes: number): Fault => (request, response, bytes = new Uint8Array()) => {
    const { begin, end } = askedRange(request, bytes);
    response.writeHead(206, { "Content-Range": `bytes ${begin}-${end}/${bytes.byteLength}` }).flushHeaders();
    if (sentBytes > 0) response.write(bytes.subarray(begin, begin + sentBytes));
  },
  withoutRanges: ((_request, response, bytes = new Uint8Array()) =>
    void response.writeHead(200, { "Content-Length": bytes.byteLength }).end(bytes)) as Fault,
  withoutLength: ((_request, response, bytes = new Uint8Array()) => {
    response.writeHead(200, { "Transfer-Encoding": "chunked" });
    response.end(bytes);
  }) as Fault,
  hiddenContentRange: ((request, response, bytes = new Uint8Array()) => {
    const { begin, end } = askedRange(request, bytes);
    const isWhole = request.headers.range === undefined;
    response.writeHead(isWhole ? 200 : 206, { "Content-Length": end - begin + 1 }).end(bytes.subarray(begin, end + 1));
  }) as Fault,
  shiftedBy: (offset: number): Fault => (request, response, bytes = new Uint8Array()) => {
    const { begin, end } = askedRange(request, bytes);
    response.writeHead(206, { "Content-Range": `bytes ${begin + offset}-${end}/${bytes.byteLength}` });
    response.end(bytes.subarray(begin + offset, end + 1));
  },
};

/** Bytes that differ at every position that a mistake would mix up. */
export function patternBytes(byteLength: number, salt = 0): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, i) => (i ^ (i >>> 8) ^ (i >>> 16) ^ salt) & 255);
}

/** A shard store in memory with small chunks, and counters. */
export function memoryStore(chunkBytes = 512 * 1024): ShardStore & { chunks: Map<string, Uint8Array<ArrayBuffer>>; failPuts: Error | undefined } {
  const records = new Map<string, FileRecord>();
  const chunks = new Map<string, Uint8Array<ArrayBuffer>>();
  const missing = new Set<string>();
  const id = ({ checkpoint, file }: FileKey) => `${checkpoint}|${file}`;
  function begin(key: FileKey, facts: FileFacts): FileRecord {
    const stored = records.get(id(key));
    if (stored?.validator === facts.validator && stored.byteLength === facts.byteLength) return stored;
    for (const name of chunks.keys()) if (name.startsWith(`${id(key)}|`)) chunks.delete(name);
    missing.delete(id(key));
    const present = new Uint8Array(Math.ceil(facts.byteLength / chunkBytes));
    const record = { ...key, ...facts, chunkBytes, present, savedAt: 1 };
    records.set(id(key), record);
    return record;
  }
  const store = {
    chunkBytes, chunks, failPuts: undefined as Error | undefined,
    record: async (key: FileKey) => records.get(id(key)),
    begin: async (key: FileKey, facts: FileFacts) => begin(key, facts),
    async putChunk(key: FileKey, facts: FileFacts, index: number, bytes: Uint8Array<ArrayBuffer>) {
      if (store.failPuts) throw store.failPuts;
      begin(key, facts).present[index] = 1;
      chunks.set(`${id(key)}|${index}`, bytes.slice());
    },
    chunk: async (key: FileKey, index: number) => chunks.get(`${id(key)}|${index}`),
    async noteMissing(key: FileKey) {
      records.delete(id(key));
      missing.add(id(key));
    },
    isMissing: async (key: FileKey) => missing.has(id(key)),
    records: async () => [...records.values()],
    async remove(checkpoint: string) {
      for (const map of [records, chunks]) for (const name of map.keys()) if (name.startsWith(`${checkpoint}|`)) map.delete(name);
    },
  };
  return store;
}
