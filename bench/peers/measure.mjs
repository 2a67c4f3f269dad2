// Serves dist/peers to a headless Chromium, which measures one runtime after the other. Needs nothing but Node.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { extraBrowserArgs } from "../../tools/driver/find_browser.mjs";
import { serveFolder } from "../../tools/driver/serve_folder.mjs";
import { BUILT } from "./build.mjs";
import { SHAPES } from "./shapes.mjs";
import { writeGguf } from "./write_gguf.mjs";
import { writeOnnx } from "./write_onnx.mjs";

const QUIET_ARGS = ["--headless=new", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WRITTEN = "/written/";

/**
 * Measure each of `pages` (their addresses' queries), in one browser as long as none hangs, and return what they report.
 * A page that says nothing for `patienceMs` is given up, and the browser replaced.
 */
export async function measurePages(pages, { executablePath, args, patienceMs, say }) {
  const folder = mkdtempSync(join(tmpdir(), "hearth-peers-"));
  const desk = { take: () => {}, next: undefined };
  const server = await serve(folder, desk, say);
  const base = `http://localhost:${server.address().port}/`;
  const urls = pages.map((page) => `${base}?${new URLSearchParams(page)}`);
  const outcomes = [];
  let browser;
  try {
    for (const [index, url] of urls.entries()) {
      say(`measuring ${pages[index].label} at ${JSON.parse(pages[index].shape).name}`);
      const answered = new Promise((resolve) => (desk.take = resolve));
      desk.next = urls[index + 1];
      browser ??= startBrowser(executablePath, [...args, url]);
      const outcome = await withPatience(Promise.race([answered, browser.ended]), patienceMs);
      outcomes.push(outcome);
      if (outcome.isGone) browser = await stopBrowser(browser);
    }
  } finally {
    if (browser) await stopBrowser(browser);
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return outcomes;
}

async function withPatience(outcome, patienceMs) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patienceMs, { error: `no answer within ${patienceMs / 1000} s`, isGone: true });
  });
  const first = await Promise.race([outcome, late]);
  clearTimeout(timer);
  return first;
}

function startBrowser(executablePath, args) {
  const profile = mkdtempSync(join(tmpdir(), "hearth-browser-"));
  const isRoot = process.getuid?.() === 0; // whom Chromium refuses to put into its sandbox
  const all = [...QUIET_ARGS, ...(isRoot ? ["--no-sandbox"] : []), `--user-data-dir=${profile}`, ...extraBrowserArgs("chromium"), ...args];
  const child = spawn(executablePath, all, { stdio: "ignore", detached: true });
  const ended = new Promise((resolve) => {
    child.on("exit", (code) => resolve({ error: `the browser ended with status ${code}`, isGone: true }));
    child.on("error", ({ message }) => resolve({ error: message, isGone: true }));
  });
  return { child, ended, profile };
}

async function stopBrowser({ child, ended, profile }) {
  try {
    process.kill(-child.pid, "SIGKILL"); // the group: its GPU and page processes too
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }); // its children may write a last time
  return undefined;
}

function serve(folder, desk, say) {
  const files = serveFolder("/", BUILT);
  const written = serveFolder(WRITTEN, folder);
  const server = createServer(async (request, response) => {
    // Threads of wasm need a page that is isolated from others.
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/report") {
      const outcome = JSON.parse(await readText(request));
      response.end(desk.next); // where the page goes next
      return desk.take(outcome);
    }
    if (url.pathname === "/write") return writeModel(url.searchParams, folder, response, say);
    if (url.pathname === "/") request.url = `/index.html${url.search}`;
    written(request, response, () => files(request, response));
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

/** Write a model when it is first asked for, and answer with its address. */
function writeModel(query, folder, response, say) {
  const [name, kind] = [query.get("shape"), query.get("kind")];
  const shape = SHAPES[name];
  const place = kind === "gguf" ? `${name}.gguf` : `${name}-${kind}`;
  try {
    if (!existsSync(join(folder, place))) {
      say(`writing ${place}`);
      if (kind === "gguf") writeGguf(join(folder, place), shape);
      else writeOnnx(join(folder, place), shape, kind === "onnx-f16" ? "f16" : "f32");
    }
    response.end(WRITTEN + place);
  } catch (error) {
    response.writeHead(500).end(`${place} could not be written: ${error.message}`); // the page reports it
  }
}

async function readText(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
