import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

import { launchBrowser } from "./browser.mjs";
import { serveFolder } from "./serve_folder.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MODEL_PREFIX = "/@model/";
const BYTES_PATH = "/@driver/bytes";

/**
 * Run `work` with a model loaded in a headless browser, and clean up after it. `work` gets `call(name, ...parameters)`,
 * which reaches the functions of page.js, the model's `info`, and `receivedBytes()`.
 */
export async function withModel({ model, browser: kind, loadOptions = {}, onText = () => {} }, work) {
  const say = (line) => process.stderr.write(`${line}\n`);
  const bytes = { body: undefined };
  const server = await startServer(model, bytes);
  let browser;
  try {
    const url = `http://localhost:${server.httpServer.address().port}/tools/driver/driver.html`;
    browser = await launchBrowser(kind, url, say);
    const page = await openPage(browser, url, { onText, say });
    const call = (name, ...parameters) => callPage(page, name, parameters);
    const loaded = await call("load", sourceOf(model), loadOptions);
    const info = folderOf(model) ? { ...loaded, id: model } : loaded; // the address of this run's server means nothing later
    await work({ call, info, receivedBytes: () => bytes.body });
    await call("unload");
  } finally {
    await browser?.close();
    await server.close();
  }
}

/** Run a driver's main function; an error ends the process with its message. */
export async function runDriver(main) {
  try {
    await main();
  } catch (error) {
    const isExpected = error instanceof DriverError || error.syscall; // the caller's or the system's, not the driver's fault
    console.error(isExpected ? error.message : error);
    process.exitCode = 1;
  }
}

/** An error of the runtime or the caller, for which a stack trace of the driver would be noise. */
export class DriverError extends Error {}

async function startServer(model, bytes) {
  const folder = folderOf(model);
  const plugin = {
    name: "hearth:driver",
    configureServer(server) {
      if (folder) server.middlewares.use(serveFolder(MODEL_PREFIX, folder));
      server.middlewares.use(BYTES_PATH, async (request, response) => {
        bytes.body = await readBody(request);
        response.end();
      });
    },
  };
  const server = await createServer({ root, mode: "driver", plugins: [plugin], server: { port: 0 }, logLevel: "error" });
  return server.listen();
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function folderOf(model) {
  const isFolder = existsSync(model) && statSync(model).isDirectory();
  if (isFolder) return resolve(model);
  if (/^[./~]/.test(model)) throw new DriverError(`${model}: expected a folder with config.json, found none`);
  return undefined; // a URL, a Hub id or "synthetic:..."
}

function sourceOf(model) {
  return folderOf(model) ? MODEL_PREFIX : model;
}

async function openPage(browser, url, { onText, say }) {
  const page = await browser.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") say(message.text());
  });
  page.on("pageerror", (error) => say(String(error)));
  const showProgress = progressLine();
  await page.exposeBinding("hearthEmit", (_source, event) => {
    if (event.type === "text") return onText(event.text);
    showProgress(event.progress);
  });
  await page.goto(url);
  await page.waitForFunction("window.hearthReady");
  return page;
}

async function callPage(page, name, parameters) {
  const run = ([callName, callParameters]) => window.hearthCall(callName, ...callParameters);
  const { value, error, cause } = await page.evaluate(run, [name, parameters]);
  if (error) throw new DriverError(cause ? `${error}\n  because ${cause}` : error);
  return value;
}

/** Show loading on one line that rewrites itself, where there is a terminal to do so. */
function progressLine() {
  if (!process.stderr.isTTY) return () => {};
  return ({ phase, loadedBytes, totalBytes }) => {
    const megabytes = (byteLength) => (byteLength / 1e6).toFixed(1);
    const text = phase === "ready" ? "" : `loading ${phase}: ${megabytes(loadedBytes)} of ${megabytes(totalBytes)} MB`;
    process.stderr.write(`\r\x1b[K${text}`);
  };
}
