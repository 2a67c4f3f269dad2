import type { ServerResponse } from "node:http";

import { expect, type Harness } from "../support/fixtures.ts";
import { sha256, type FaultServer } from "../support/fault_server.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MEBIBYTE, PAGE, test } from "./faults_setting.ts";

const FILES_PAGE = "/e2e/faults/chunk_files.page.ts";
const WEIGHTS = "model.safetensors";
const LARGE = randomBytes(20 * MEBIBYTE);
const CHUNK = 8 * MEBIBYTE;
const RIGHT = { verdict: "sound", hashes: { [WEIGHTS]: sha256(LARGE) } };

// So that a test can have its browser collect garbage.
test.use({
  launchOptions: async ({ launchOptions, browserName }, use) =>
    use(browserName === "chromium" ? { ...launchOptions, args: [...(launchOptions.args ?? []), "--js-flags=--expose-gc"] } : launchOptions),
});

const weightRanges = (server: FaultServer) => server.requests.filter(({ path }) => path.endsWith(WEIGHTS)).map(({ range }) => range);
const placesOf = (harness: Harness, checkpoint: string) => harness.run(FILES_PAGE, "placesOf", { checkpoint, file: WEIGHTS });

/** Hold the handles of all stored chunks in a worker, as another tab does; resolves to what lets them go. */
async function holdHandles(server: FaultServer, harness: Harness): Promise<() => Promise<void>> {
  let held: ServerResponse | undefined;
  server.faults = [(_request, response) => (held = response)]; // the next request is the holder's
  const holding = harness.runInWorker<number>(FILES_PAGE, "holdHandles", `${server.url}held`);
  await expect.poll(() => held !== undefined).toBe(true);
  return async () => {
    held?.end("1");
    expect(await holding).toBeGreaterThan(0);
  };
}

test("a worker stores chunks as files, which a page reads too", async ({ server, read, readInPage, harness }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  expect(await read({ source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
  expect(await harness.run(FILES_PAGE, "chunkFiles")).toEqual([["0", "1", "2"]]);
  expect(await placesOf(harness, server.url)).toEqual(["file", "file", "file"]);
  server.clearLog();
  expect(await readInPage({ source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
  expect(weightRanges(server)).toEqual([]);
});

test("chunks are written and read while the browser collects its garbage", async ({ harness, browserName }) => {
  test.skip(browserName === "firefox", "only Chromium collects garbage when it is asked to");
  expect(await harness.runInWorker(FILES_PAGE, "storeAmidCollections", 100)).toBe(100);
});

test("a version that was deleted is stored anew by the store that deleted it", async ({ harness }) => {
  expect(await harness.runInWorker(FILES_PAGE, "storeTwice", "org/name")).toEqual([4, 5, 6]);
  expect(await placesOf(harness, "org/name")).toEqual(["file"]);
  expect(await harness.run(FILES_PAGE, "chunkFiles")).toEqual([["0"]]);
});

test("a chunk whose file is gone is fetched again, by itself", async ({ server, read, harness }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  await read({ source: server.url, files: [WEIGHTS] });
  await harness.run(FILES_PAGE, "deleteChunkFile", 1);
  server.clearLog();
  expect(await read({ source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
  expect(weightRanges(server)).toEqual([`bytes=${CHUNK}-${2 * CHUNK - 1}`]);
  expect(await harness.run(FILES_PAGE, "chunkFiles")).toEqual([["0", "1", "2"]]);
});

test("files that another tab has open are read all the same, and what they cannot take is stored in the database", async ({ server, read, harness }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  await read({ source: server.url, files: [WEIGHTS] });
  await harness.runInWorker(PAGE, "flipStoredBit", { checkpoint: server.url, file: WEIGHTS, index: 1, offset: 5 });
  const release = await holdHandles(server, harness);
  server.clearLog();
  expect(await read({ source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
  expect(weightRanges(server)).toEqual([`bytes=${CHUNK}-${2 * CHUNK - 1}`]);
  expect(await placesOf(harness, server.url)).toEqual(["file", "database", "file"]);
  await release();
  server.clearLog();
  expect(await read({ source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
  expect(weightRanges(server)).toEqual([]);
});

test("a browser without a private file system stores chunks in the database", async ({ server, read, harness }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  for (const how of ["readWithoutFiles", "readWithRefusedFiles"]) {
    expect(await harness.runInWorker(FILES_PAGE, how, { source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
    expect(await placesOf(harness, server.url)).toEqual(["database", "database", "database"]);
    server.clearLog();
    expect(await harness.runInWorker(FILES_PAGE, how, { source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
    expect(await read({ source: server.url, files: [WEIGHTS] })).toMatchObject(RIGHT);
    expect(weightRanges(server)).toEqual([]);
    await harness.run(PAGE, "removeStored", server.url);
  }
});

test("what deleting has to leave behind is deleted when storage is opened next, and nothing else", async ({ server, read, harness }) => {
  for (const name of ["gone", "kept"]) server.files.set(`${name}/${WEIGHTS}`, name === "kept" ? LARGE : LARGE.subarray(0, MEBIBYTE));
  await read({ source: `${server.url}gone/`, files: [WEIGHTS] });
  const release = await holdHandles(server, harness);
  await read({ source: `${server.url}kept/`, files: [WEIGHTS] });
  await harness.run(PAGE, "removeStored", `${server.url}gone/`);
  expect(await harness.run(PAGE, "listStored")).toMatchObject([{ id: `${server.url}kept/` }]);
  expect(await harness.run(FILES_PAGE, "chunkFiles")).toEqual([["0", "1", "2"], ["0"]]);
  await release();
  await harness.run(PAGE, "listStored");
  expect(await harness.run(FILES_PAGE, "chunkFiles")).toEqual([["0", "1", "2"]]);
  server.clearLog();
  expect(await read({ source: `${server.url}kept/`, files: [WEIGHTS] })).toMatchObject(RIGHT);
  expect(weightRanges(server)).toEqual([]);
});
