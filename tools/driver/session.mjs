import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { launchBrowser } from "./browser.mjs";
import { servePage } from "./page_server.mjs";
import { serveFolder } from "./serve_folder.mjs";

const MODEL_PREFIX = "/@model/";
const BYTES_PATH = "/@driver/bytes";

/**
 * Run `work` with a model loaded in a headless browser, and clean up after it. `work` gets what `withPage` gives, and the
 * model's `info`.
 */
export async function withModel({ model, loadOptions = {}, ...options }, work) {
  const folder = folderOf(model);
  await withPage({ ...options, folder }, async (page) => {
    const loaded = await page.call("load", folder ? MODEL_PREFIX : model, loadOptions);
    const info = folder ? { ...loaded, id: model } : loaded; // the address of this run's server means nothing later
    await work({ ...page, info });
    await page.call("unload");
  });
}

/**
 * Run `work` with a headless browser on the driver's page, and clean up after it. `work` gets `call(name, ...parameters)`,
 * which reaches the functions of page.js, `receivedBytes()`, and the browser's `version`. `library` is a folder with a
 * library that is built already; by default the sources run. `folder` is that of a model to serve.
 */
export async function withPage({ browser: kind, library, folder, onText = () => {} }, work) {
  const say = (line) => process.stderr.write(`${line}\n`);
  const bytes = { body: undefined };
  const server = await servePage([...(folder ? [serveFolder(MODEL_PREFIX, folder)] : []), takeBytes(bytes)], library);
  let browser;
  try {
    browser = await launchBrowser(kind, server.url, say);
    const page = await openPage(browser, server.url, { onText, say });
    await work({ call: (name, ...parameters) => callPage(page, name, parameters), receivedBytes: () => bytes.body, version: browser.version() });
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

/** Middleware that keeps the body of what the page posts. */
function takeBytes(bytes) {
  return async (request, response, next) => {
    if (request.url !== BYTES_PATH) return next();
    bytes.body = await readBody(request);
    response.end();
  };
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
