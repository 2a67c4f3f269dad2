import { createReadStream, statSync } from "node:fs";
import { extname, resolve, sep } from "node:path";

const CONTENT_TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".txt": "text/plain",
  ".wasm": "application/wasm",
};

/**
 * Middleware that serves the files of one folder under a path prefix, byte ranges included; what is missing is a 404.
 * `onRequest` hears the folder-relative path of every request.
 */
export function serveFolder(prefix, folder, onRequest = () => {}) {
  const root = resolve(folder);
  return (request, response, next) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (!pathname.startsWith(prefix)) return next();
    const name = decodeURIComponent(pathname.slice(prefix.length));
    onRequest(name, request);
    const path = resolve(root, name);
    if (path !== root && !path.startsWith(root + sep)) return refuse(response, 403);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) return refuse(response, 404);
    sendFile(request, response, path, stat.size);
  };
}

function sendFile(request, response, path, byteLength) {
  const headers = {
    "accept-ranges": "bytes",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "content-range, content-length, accept-ranges",
    "cache-control": "no-store",
    "content-type": CONTENT_TYPES[extname(path)] ?? "application/octet-stream",
  };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const begin = range ? Number(range[1]) : 0;
  const last = range?.[2] ? Math.min(Number(range[2]), byteLength - 1) : byteLength - 1;
  if (range && begin > last) return refuse(response, 416, { "content-range": `bytes */${byteLength}` });
  if (range) headers["content-range"] = `bytes ${begin}-${last}/${byteLength}`;
  response.writeHead(range ? 206 : 200, { ...headers, "content-length": last - begin + 1 });
  if (request.method === "HEAD" || byteLength === 0) return response.end();
  const stream = createReadStream(path, { start: begin, end: last });
  stream.on("error", (error) => response.destroy(error));
  response.on("close", () => stream.destroy()); // the reader may leave early
  stream.pipe(response);
}

function refuse(response, status, headers = {}) {
  response.writeHead(status, { "access-control-allow-origin": "*", ...headers }).end();
}
