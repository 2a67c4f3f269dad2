import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { TestInfo } from "@playwright/test";
import { build } from "vite";

import { serveFolder } from "../../tools/driver/serve_folder.mjs";
import { expect, test } from "../support/fixtures.ts";

// The built library as another site would use it: one file, by a script tag or an import, on a server that knows nothing.

const root = fileURLToPath(new URL("../../", import.meta.url));

const PAGES: Record<string, string> = {
  "/tag.html": `<script src="/dist/hearth.global.js"></script><script>window.loadModel = Hearth.loadModel;</script>`,
  "/module.html": `<script type="module">import { loadModel } from "/dist/hearth.js"; window.loadModel = loadModel;</script>`,
  "/no_workers.html": `<meta http-equiv="Content-Security-Policy" content="worker-src 'none'"><script src="/dist/hearth.global.js"></script><script>window.loadModel = Hearth.loadModel;</script>`,
};

let server: Server;
let origin: string;
let scripts: string[] = [];

async function serveBuild(folder: string): Promise<void> {
  const dist = serveFolder("/dist/", folder, (name) => scripts.push(name));
  const models = serveFolder("/models/", `${root}public/models`);
  server = createServer((request, response) => {
    const page = PAGES[request.url ?? ""];
    if (page) return response.setHeader("content-type", "text/html").end(`<!doctype html><link rel="icon" href="data:,">${page}`);
    dist(request, response, () => models(request, response, () => response.writeHead(404).end()));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  origin = `http://localhost:${(server.address() as AddressInfo).port}`; // a TCP server's address is no string
}

// Playwright insists on an object pattern, even an empty one.
test.beforeAll(async ({}, { project, parallelIndex }: TestInfo) => {
  const outDir = `${root}test-results/library-${project.name}-${parallelIndex}`;
  await build({ root, mode: "library", logLevel: "error", build: { outDir, emptyOutDir: true } });
  await serveBuild(outDir);
});
test.beforeEach(() => void (scripts = []));
test.afterAll(() => server.close());

const firstWords = `(async () => {
  const model = await loadModel("./models/hearth-tiny/");
  const { text } = await model.generate("Once upon a time", { maxTokens: 4 });
  await model.unload();
  return text;
})()`;

for (const [path, file] of [["/tag.html", "hearth.global.js"], ["/module.html", "hearth.js"]]) {
  test(`${path} runs a model with one script request`, async ({ page }) => {
    await page.goto(origin + path);
    await page.waitForFunction("window.loadModel");
    expect(await page.evaluate(firstWords)).toMatch(/\w/);
    expect(scripts).toEqual([file]);
  });
}

test.describe("under a policy that forbids workers", () => {
  test.use({ expectedErrors: [/worker-src|Content.Security.Policy/i] });

  test("loading fails soon, and names the directive", async ({ page }) => {
    await page.goto(`${origin}/no_workers.html`);
    const failure = await page.evaluate(`loadModel("./models/hearth-tiny/").catch(({ code, message }) => ({ code, message }))`);
    expect(failure).toEqual({ code: "worker-failed", message: expect.stringContaining("worker-src blob:") });
  });
});
