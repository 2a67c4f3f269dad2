import { gzipSync } from "node:zlib";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What a server does to one request instead of answering it well. */
export type Fault = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array) => unknown;

const WRITE_BYTES = 256 * 1024;

/** The range a request asks of a file, the end excluded. */
export function askedRange(request: IncomingMessage, bytes: Uint8Array): { begin: number; end: number } {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  if (match === null) return { begin: 0, end: bytes.byteLength };
  return { begin: Number(match[1]), end: match[2] === "" ? bytes.byteLength : Math.min(Number(match[2]) + 1, bytes.byteLength) };
}

/** Write bytes no faster than the reader takes them, so that what was counted was sent; the end is the caller's. */
export async function send(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  for (let position = 0; position < bytes.byteLength && !response.destroyed; position += WRITE_BYTES) {
    await new Promise<void>((written) => {
      response.once("close", written);
      response.write(bytes.subarray(position, position + WRITE_BYTES), () => {
        response.off("close", written);
        written();
      });
    });
  }
}

/** Answer a request as a good server does. */
export async function answer(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): Promise<void> {
  const { begin, end } = askedRange(request, bytes);
  if (begin >= bytes.byteLength) return void response.writeHead(416, { "Content-Range": `bytes */${bytes.byteLength}` }).end();
  startRange(request, response, bytes);
  await send(response, bytes.subarray(begin, end));
  response.end();
}

function startRange(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, headers: Record<string, string | number> = {}): void {
  const { begin, end } = askedRange(request, bytes);
  const isRange = request.headers.range !== undefined;
  const all: Record<string, string | number> = { "Content-Length": end - begin, ...(isRange && { "Content-Range": `bytes ${begin}-${end - 1}/${bytes.byteLength}` }), ...headers };
  response.writeHead(isRange ? 206 : 200, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== "")));
  response.flushHeaders();
}

async function startAndSend(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, sentBytes: number, headers: Record<string, string | number>): Promise<void> {
  const { begin, end } = askedRange(request, bytes);
  startRange(request, response, bytes, headers);
  await send(response, bytes.subarray(begin, Math.min(begin + sentBytes, end)));
}

const NO_LENGTH = { "Content-Length": "" }; // an empty value leaves the header out

/** The ways in which real servers, proxies and networks fail. Offsets count from the first byte that was asked for. */
export const faults = {
  status: (status: number, headers: Record<string, string> = {}, body = "no"): Fault => (_request, response) => response.writeHead(status, headers).end(body),
  /** The page of a captive portal, or of a single-page app. */
  webPage: ((_request, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Sign in</title>")) as Fault,
  /** Close the connection before any answer. */
  drop: ((request) => request.socket.destroy()) as Fault,
  /** Promise the whole range, send its first bytes, and reset the connection. */
  cutAfter: (sentBytes: number): Fault => async (request, response, bytes) => {
    await startAndSend(request, response, bytes, sentBytes, {});
    request.socket.resetAndDestroy();
  },
  /** Cut a body that was sent in HTTP chunks, without its terminator. */
  chunkedCutAfter: (sentBytes: number): Fault => async (request, response, bytes) => {
    await startAndSend(request, response, bytes, sentBytes, NO_LENGTH);
    request.socket.destroy();
  },
  /** Say nothing of the length, send the first bytes, and end as if all was well. */
  silentlyEndAfter: (sentBytes: number): Fault => async (request, response, bytes) => {
    await startAndSend(request, response, bytes, sentBytes, NO_LENGTH);
    response.end();
  },
  /** The same for the old way to end a body: by closing the connection. */
  silentlyCloseAfter: (sentBytes: number): Fault => async (request, response, bytes) => {
    response.useChunkedEncodingByDefault = false;
    await startAndSend(request, response, bytes, sentBytes, { ...NO_LENGTH, Connection: "close" });
    response.end();
  },
  /** Claim that the body is shorter than what was asked for, and send just that. */
  shortLength: (sentBytes: number): Fault => async (request, response, bytes) => {
    await startAndSend(request, response, bytes, sentBytes, { "Content-Length": sentBytes });
    response.end();
  },
  /** Claim more bytes than there are. */
  longLength: (extraBytes: number): Fault => async (request, response, bytes) => {
    const { begin, end } = askedRange(request, bytes);
    await startAndSend(request, response, bytes, end - begin, { "Content-Length": end - begin + extraBytes });
    request.socket.destroy();
  },
  /** Change one bit of the file. */
  flipAt: (offset: number): Fault => async (request, response, bytes) => {
    const flipped = bytes.slice();
    flipped[offset] ^= 1;
    await answer(request, response, flipped);
  },
  /** Send the first bytes and then nothing, without ending. */
  stallAfter: (sentBytes: number): Fault => (request, response, bytes) => startAndSend(request, response, bytes, sentBytes, {}),
  /** Send so many bytes at a time, at this pace. */
  drip: (stepBytes: number, everyMs: number): Fault => (request, response, bytes) => {
    const { begin, end } = askedRange(request, bytes);
    startRange(request, response, bytes);
    let position = begin;
    const timer = setInterval(() => {
      response.write(bytes.subarray(position, Math.min(end, position + stepBytes)));
      position += stepBytes;
      if (position >= end) response.end();
      if (position >= end || response.destroyed) clearInterval(timer);
    }, everyMs);
  },
  /** Send a few bytes at a time for a while, then the rest. */
  dripFor: (forMs: number, everyMs: number, stepBytes: number): Fault => (request, response, bytes) => {
    const { begin, end } = askedRange(request, bytes);
    startRange(request, response, bytes);
    let position = begin;
    const timer = setInterval(() => {
      response.write(bytes.subarray(position, position + stepBytes));
      position += stepBytes;
    }, everyMs);
    setTimeout(() => {
      clearInterval(timer);
      response.end(bytes.subarray(position, end));
    }, forMs);
  },
  withoutRanges: (async (_request, response, bytes) => {
    response.writeHead(200, { "Content-Length": bytes.byteLength });
    await send(response, bytes);
    response.end();
  }) as Fault,
  withoutLength: (async (_request, response, bytes) => {
    response.writeHead(200, { "Transfer-Encoding": "chunked" });
    await send(response, bytes);
    response.end();
  }) as Fault,
  /** Compress what a browser would decompress: Content-Length then counts other bytes. */
  gzip: ((_request, response, bytes) => {
    const body = gzipSync(bytes);
    response.writeHead(200, { "Content-Encoding": "gzip", "Content-Length": body.byteLength }).end(body);
  }) as Fault,
  hiddenContentRange: (async (request, response, bytes) => {
    response.removeHeader("Access-Control-Expose-Headers");
    const { begin, end } = askedRange(request, bytes);
    response.writeHead(request.headers.range === undefined ? 200 : 206, { "Content-Length": end - begin });
    await send(response, bytes.subarray(begin, end));
    response.end();
  }) as Fault,
  /** Serve other bytes than those asked for, and say so. */
  shiftedBy: (offset: number): Fault => async (request, response, bytes) => {
    const { begin, end } = askedRange(request, bytes);
    response.writeHead(206, { "Content-Range": `bytes ${begin + offset}-${end - 1}/${bytes.byteLength}`, "Content-Length": end - begin - offset });
    await send(response, bytes.subarray(begin + offset, end));
    response.end();
  },
  /** Say that the file is of another length. */
  totalOf: (byteLength: number): Fault => async (request, response, bytes) => {
    const { begin, end } = askedRange(request, bytes);
    await startAndSend(request, response, bytes, end - begin, { "Content-Range": `bytes ${begin}-${end - 1}/${byteLength}` });
    response.end();
  },
  /** Answer well, but forbid every page to read it. */
  withoutCors: (async (request, response, bytes) => {
    response.removeHeader("Access-Control-Allow-Origin");
    await answer(request, response, bytes);
  }) as Fault,
  redirectLoop: ((request, response) => response.writeHead(302, { Location: request.url ?? "/" }).end()) as Fault,
} as const;
