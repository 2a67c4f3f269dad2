import type { Page } from "@playwright/test";

import { expect, harnessIn, openHarness } from "../support/fixtures.ts";
import { sha256 } from "../support/fault_server.ts";
import { faults } from "../support/faults.ts";
import { TIMED } from "../support/measured.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MEBIBYTE, PAGE, QUICK, test } from "./faults_setting.ts";
import type { ReadRequest, Reading } from "./storage.page.ts";

const WEIGHTS = "model.safetensors";
const LARGE = randomBytes(40 * MEBIBYTE);
const CHUNK = 8 * MEBIBYTE;
const SLOWLY = faults.drip(MEBIBYTE, 20);

async function openTab(page: Page): Promise<Page> {
  const tab = await page.context().newPage();
  await openHarness(tab);
  return tab;
}

function readIn(tab: Page, source: string, more?: Pick<ReadRequest, "freeze">): Promise<Reading> {
  const request: ReadRequest = { source, files: [WEIGHTS], retry: { ...QUICK, stallMs: 60_000 }, ...more };
  return harnessIn(tab).runInWorker<Reading>(PAGE, "readFiles", request);
}

test("promise 19: tabs share one download", async ({ server, harness, measured }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  server.always = SLOWLY;
  const tabs = [harness.page, await openTab(harness.page), await openTab(harness.page)];
  const readings = await Promise.all(tabs.map((tab) => readIn(tab, server.url)));
  for (const { hashes, error } of readings) expect({ hash: hashes[WEIGHTS], error }).toEqual({ hash: sha256(LARGE), error: undefined });
  expect(server.servedBytes).toBeLessThanOrEqual(1.05 * LARGE.byteLength);
  measured(`three tabs at once: ${(server.servedBytes / LARGE.byteLength).toFixed(3)} times the size served`);
});

test("two tabs read a stored model at once", async ({ server, harness }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  await readIn(harness.page, server.url);
  server.clearLog();
  const tabs = [harness.page, await openTab(harness.page)];
  const readings = await Promise.all(tabs.flatMap((tab) => [readIn(tab, server.url), readIn(tab, server.url)]));
  for (const { hashes, error } of readings) expect({ hash: hashes[WEIGHTS], error }).toEqual({ hash: sha256(LARGE), error: undefined });
  expect(server.requests.filter(({ path }) => path.endsWith(WEIGHTS))).toEqual([]);
});

test("promise 19: when the tab that downloads is closed, another goes on", TIMED, async ({ server, harness, measured }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  server.faults = [faults.stallAfter(20 * MEBIBYTE)];
  server.always = SLOWLY;
  const leader = await openTab(harness.page);
  const abandoned = readIn(leader, server.url).catch(() => undefined);
  await expect.poll(() => harness.run<{ present: number[] }[]>(PAGE, "storedState", server.url)).toMatchObject([{ present: [1, 1, 0, 0, 0] }]);
  const following = readIn(harness.page, server.url);
  await expect.poll(() => harness.page.evaluate(async () => (await navigator.locks.query()).pending?.length)).toBe(1); // it waits its turn
  let closedAt = 0;
  let handOverMs = Infinity;
  server.onRequest = ({ path }) => {
    if (path.endsWith(WEIGHTS) && closedAt > 0) handOverMs = Math.min(handOverMs, performance.now() - closedAt);
  };
  closedAt = performance.now();
  await leader.close();
  const { hashes, error } = await following;
  await abandoned;
  expect(error).toBeUndefined();
  expect(hashes[WEIGHTS]).toBe(sha256(LARGE));
  expect(server.servedBytes).toBeLessThanOrEqual(LARGE.byteLength + CHUNK);
  expect(handOverMs).toBeLessThan(1000);
  measured(`handed over ${Math.round(handOverMs)} ms after the tab was closed`);
});

test("promise 19: a frozen tab loses its download, and writes nothing when it thaws", TIMED, async ({ server, harness, measured }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  server.files.set("thaw", new Uint8Array(1));
  const sent = 20 * MEBIBYTE;
  let sendMore = () => {};
  server.faults = [async (request, response, bytes) => {
    await faults.stallAfter(sent)(request, response, bytes);
    sendMore = () => void response.write(bytes.subarray(sent, sent + MEBIBYTE));
  }];
  let thaw: (() => void) | undefined;
  server.always = (request, response, bytes) => {
    if (request.url !== "/thaw") return SLOWLY(request, response, bytes);
    thaw = () => response.end("1");
  };
  const leader = await openTab(harness.page);
  const zombie = readIn(leader, server.url, { freeze: { afterBytes: sent + 1, url: `${server.url}thaw` } });
  await expect.poll(() => harness.run<{ present: number[] }[]>(PAGE, "storedState", server.url)).toMatchObject([{ present: [1, 1, 0, 0, 0] }]);
  sendMore(); // it freezes while nothing is being stored: browsers freeze no tab in the middle of a transaction
  await expect.poll(() => thaw).toBeDefined();
  const begun = performance.now();
  const { hashes, error } = await readIn(harness.page, server.url);
  const stolenMs = performance.now() - begun;
  expect(error).toBeUndefined();
  expect(hashes[WEIGHTS]).toBe(sha256(LARGE));
  expect(stolenMs).toBeLessThan(15_000 + 2000);
  const lastWrites = async () => [
    await harness.run(PAGE, "lastWrite", { checkpoint: server.url, file: WEIGHTS }), await harness.run("/e2e/faults/chunk_files.page.ts", "lastFileWrite"),
  ];
  const before = await lastWrites();
  thaw?.();
  const thawed = await zombie;
  expect(thawed.error).toBeUndefined();
  expect(thawed.hashes[WEIGHTS]).toBe(sha256(LARGE));
  expect(await lastWrites()).toEqual(before);
  measured(`taken over and read whole ${(stolenMs / 1000).toFixed(1)} s after the tab froze; 0 chunks written by it afterwards`);
});

test("promise 5: an old tab blocks neither an upgrade nor a deletion of the database", TIMED, async ({ harness, measured }) => {
  const other = await openTab(harness.page);
  for (const tab of [harness.page, other]) await tab.evaluate((path) => window.run(path, "listStored", undefined), PAGE);
  const times: number[] = [];
  for (const how of ["upgrade", "delete"]) {
    times.push(await other.evaluate((how) => new Promise<number>((resolve, reject) => {
      const begun = performance.now();
      const request = how === "upgrade" ? indexedDB.open("hearth", 2) : indexedDB.deleteDatabase("hearth");
      request.onblocked = () => reject(new Error("blocked"));
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        if (how === "upgrade") (request.result as IDBDatabase).close();
        resolve(performance.now() - begun);
      };
    }), how));
    expect(await harness.run(PAGE, "listStored")).toEqual([]); // and the old tab works on
  }
  for (const time of times) expect(time).toBeLessThan(500);
  measured(`upgrade ${Math.round(times[0])} ms, deletion ${Math.round(times[1])} ms, with two tabs connected`);
});
