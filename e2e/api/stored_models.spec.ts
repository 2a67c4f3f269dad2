import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

import { serveFolder } from "../../tools/driver/serve_folder.mjs";
import type { Reading } from "../faults/storage.page.ts";
import { expect, test } from "../support/fixtures.ts";

type PageModule = typeof import("./language_model.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/api/language_model.page.ts";
const FILES_PAGE = "/e2e/faults/storage.page.ts";
const bundled = fileURLToPath(new URL("../../public/models/hearth-tiny", import.meta.url));

let server: Server;
let source: string;
let requested: string[] = [];

// A server of another origin that counts: what a page's own tools show of a worker's requests differs between browsers.
test.beforeEach(async () => {
  requested = [];
  const serve = serveFolder("/hearth-tiny/", bundled, (name) => requested.push(name));
  server = createServer((request, response) => serve(request, response, () => response.writeHead(404).end()));
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  source = `http://localhost:${(server.address() as AddressInfo).port}/hearth-tiny/`; // a TCP server's address is no string
});
test.afterEach(() => server.close());

const weightRequests = () => requested.filter((name) => name.endsWith(".safetensors")).length;

test("a second load takes the weights from storage, and one that was removed is fetched again", async ({ harness }) => {
  const first = await harness.run<Outcome<"loadWithProgress">>(PAGE, "loadWithProgress", source);
  expect(weightRequests()).toBeGreaterThan(0);
  expect(first.steps.some(({ phase, fromCache }) => phase === "weights" && fromCache)).toBe(false);

  requested = [];
  const second = await harness.run<Outcome<"loadWithProgress">>(PAGE, "loadWithProgress", source);
  expect(weightRequests()).toBe(0);
  expect(second.steps.filter(({ phase }) => phase === "weights").every(({ fromCache }) => fromCache)).toBe(true);
  expect(second.info).toEqual(first.info);

  const { before, after } = await harness.run<Outcome<"removeStored">>(PAGE, "removeStored", [source]);
  expect(before).toEqual([expect.objectContaining({ id: source, complete: true })]);
  expect(before[0].bytes).toBeGreaterThan(10_000_000);
  expect(after).toEqual([]);

  requested = [];
  await harness.run(FILES_PAGE, "readFiles", { source, files: ["model.safetensors"] }); // a load without its GPU
  expect(weightRequests()).toBeGreaterThan(0);
});

test.describe("without a network", () => {
  test.use({ expectedErrors: [/Cross-Origin Request Blocked|net::ERR/] });

  test("an exported model is imported and read", async ({ harness }) => {
    const files = ["config.json", "model.safetensors"];
    const read = () => harness.run<Reading>(FILES_PAGE, "readFiles", { source, files }); // a load without its GPU
    const first = await read();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const { exportedBytes, removed, id, stored } = await harness.run<Outcome<"exportAndImport">>(PAGE, "exportAndImport", source);
    expect(exportedBytes).toBeGreaterThan(10_000_000);
    expect(removed).toEqual([]);
    expect(id).toBe(source);
    expect(stored).toMatchObject([{ id: source, complete: true }]);
    expect(await read()).toMatchObject({ hashes: first.hashes, verdict: "sound" });
  });
});
