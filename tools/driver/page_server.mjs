// Serves the driver's page: from the sources through Vite, or with a library that is built already, which takes nothing but Node.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { serveFolder } from "./serve_folder.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = "/tools/driver/driver.html";
const LIBRARY_PREFIX = "/@library/";

/** Serve the driver's page beside what `middlewares` answer; resolves to its URL and what ends the server. */
export async function servePage(middlewares, library) {
  const { port, close } = library ? await serveBuilt(middlewares, library) : await serveSources(middlewares);
  const entry = library ? `${LIBRARY_PREFIX}hearth.js` : "/src/index.ts";
  return { url: `http://localhost:${port}${PAGE}?${new URLSearchParams({ entry })}`, close };
}

async function serveSources(middlewares) {
  const { createServer: createVite } = await import("vite");
  const plugin = { name: "hearth:driver", configureServer: (server) => middlewares.forEach((middleware) => server.middlewares.use(middleware)) };
  const created = await createVite({ root, mode: "driver", plugins: [plugin], server: { port: 0 }, logLevel: "error" });
  const server = await created.listen();
  return { port: server.httpServer.address().port, close: () => server.close() };
}

async function serveBuilt(middlewares, library) {
  const folders = [serveFolder("/tools/driver/", `${root}tools/driver`), serveFolder(LIBRARY_PREFIX, library), serveFolder("/models/", `${root}public/models`)];
  const all = [...middlewares, ...folders, (_request, response) => response.writeHead(404).end()];
  const answer = (request, response, index = 0) => all[index](request, response, () => answer(request, response, index + 1));
  const server = createServer((request, response) => void answer(request, response));
  await new Promise((listening) => server.listen(0, "localhost", listening));
  const close = () => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  });
  return { port: server.address().port, close };
}
