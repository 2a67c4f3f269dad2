import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A file that a hostile server serves. */
export interface HostileFile {
  /** What it really sends, from the file's start on. */
  bytes: Uint8Array;
  /** What it says the file's length is. Default: the truth. */
  claimedLength?: number;
}

/** A server on another origin whose files may lie about their length. */
export interface HostileServer {
  url: string;
  /** Files by folder and name. */
  folders: Map<string, ReadonlyMap<string, HostileFile>>;
  /** Body bytes that were handed to the network, by folder, and when the last of them were, in milliseconds since 1970. */
  sent: Map<string, { bytes: number; at: number }>;
  close(): Promise<void>;
}

const ALLOW = { "access-control-allow-origin": "*", "access-control-expose-headers": "content-range, content-length" };

/** Start a server that has no files yet. */
export async function hostileServer(): Promise<HostileServer> {
  const http: Server = createServer((request, response) => {
    const [, folder, name] = decodeURIComponent(request.url ?? "").split("/");
    const file = server.folders.get(folder)?.get(name);
    if (file === undefined) return void response.writeHead(404, ALLOW).end();
    const { bytes, claimedLength = bytes.byteLength } = file;
    const [begin, last] = (/bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? ["", "0", String(claimedLength - 1)]).slice(1).map(Number);
    const end = Math.min(last + 1, claimedLength);
    const body = bytes.subarray(begin, end);
    const sent = (bytes: number) => void server.sent.set(folder, { bytes: (server.sent.get(folder)?.bytes ?? 0) + bytes, at: Date.now() });
    response.on("finish", () => sent(0));
    sent(body.byteLength);
    const range = request.headers.range === undefined ? {} : { "content-range": `bytes ${begin}-${end - 1}/${claimedLength}` };
    response.writeHead(request.headers.range === undefined ? 200 : 206, { ...ALLOW, ...range, "content-length": end - begin });
    if (body.byteLength === end - begin) response.end(body);
    else response.write(body); // the rest never comes
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: HostileServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    folders: new Map(),
    sent: new Map(),
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
