import { expect, openHarness } from "../support/fixtures.ts";
import { sha256 } from "../support/fault_server.ts";
import { faults } from "../support/faults.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MEBIBYTE, PAGE, test } from "./faults_setting.ts";

const WEIGHTS = "model.safetensors";
const LARGE = randomBytes(40 * MEBIBYTE);
const CHUNK = 8 * MEBIBYTE;

interface StoredFileState {
  present: number[];
  isVerified: boolean;
  chunkHashes: (string | undefined)[];
}

test("promise 1: a kill never corrupts a stored model", async ({ server, harness, browserName, measured }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can kill a tab");
  server.addFolder({ [WEIGHTS]: LARGE });
  const hashes = [0, 1, 2].map((index) => sha256(LARGE.subarray(index * CHUNK, (index + 1) * CHUNK)));
  const kills = 5;
  let bad = 0;
  for (let kill = 0; kill < kills; kill++) {
    const tab = await harness.page.context().newPage();
    const { runInWorker } = await openHarness(tab);
    const sent = CHUNK + kill * 4 * MEBIBYTE; // the kill falls before, while and after the second chunk is being stored
    const reached = new Promise<void>((resolve) => {
      server.always = async (request, response, bytes) => {
        await faults.stallAfter(sent)(request, response, bytes);
        resolve();
      };
    });
    void runInWorker(PAGE, "readFiles", { source: server.url, files: [WEIGHTS] }).catch(() => {});
    await reached;
    const session = await harness.page.context().newCDPSession(tab);
    const crashed = tab.waitForEvent("crash");
    void session.send("Page.crash").catch(() => {}); // the tab is gone before it can answer
    await crashed;
    await tab.close();
    const [state] = await harness.run<StoredFileState[]>(PAGE, "storedState", server.url);
    for (const [index, present] of (state?.present ?? []).entries()) {
      if (present === 1 ? state.chunkHashes[index] !== hashes[index] : state.chunkHashes[index] !== undefined) bad++;
    }
    await harness.run(PAGE, "removeStored", server.url);
  }
  expect(bad).toBe(0);
  measured(`${kills} tabs killed while they stored: every chunk of the record there and right, no other chunk there`);
});

test("promise 8: deleting gives space back, and touches no other model", async ({ server, read, harness, measured }) => {
  const models = Object.fromEntries(["a", "b", "c"].map((name, seed) => [`${name}/${WEIGHTS}`, randomBytes(20 * MEBIBYTE, seed + 1)]));
  for (const [name, bytes] of Object.entries(models)) server.files.set(name, bytes);
  const used: number[] = [await harness.run<number>(PAGE, "storageUsage")];
  for (const name of ["a", "b", "c"]) {
    await read({ source: `${server.url}${name}/`, files: [WEIGHTS] });
    used.push(await harness.run<number>(PAGE, "storageUsage"));
  }
  const share = used[2] - used[1]; // of b; Chromium counts only two thirds of what a profile in memory holds
  expect(share).toBeGreaterThan(12 * MEBIBYTE);
  const listed = await harness.run<{ bytes: number }[]>(PAGE, "listStored");
  expect(listed.map(({ bytes }) => bytes)).toEqual([20 * MEBIBYTE, 20 * MEBIBYTE, 20 * MEBIBYTE]);
  await harness.run(PAGE, "removeStored", `${server.url}b/`);
  await harness.page.requestGC(); // Firefox keeps a file as long as a script may still read it
  await expect.poll(() => harness.run<number>(PAGE, "storageUsage"), { timeout: 5000 }).toBeLessThan(used[3] - 0.98 * share);
  server.clearLog();
  for (const name of ["a", "c"]) {
    const { hashes } = await read({ source: `${server.url}${name}/`, files: [WEIGHTS] });
    expect(hashes[WEIGHTS]).toBe(sha256(models[`${name}/${WEIGHTS}`]));
  }
  expect(server.requests.filter(({ path }) => path.endsWith(WEIGHTS))).toEqual([]);
  measured(`20 MiB of 60 deleted; usage fell by ${(100 * (used[3] - (await harness.run<number>(PAGE, "storageUsage"))) / share).toFixed(0)} % of what it had grown by`);
});

test("promise 10: what release 0.1.0 stored is kept and checked", async ({ server, read, harness, measured }) => {
  server.publish("org/model", { [WEIGHTS]: LARGE });
  const request = { source: "org/model", endpoint: server.hub, files: [WEIGHTS] };
  await read(request);
  await harness.run(PAGE, "writeAsRelease010", { checkpoint: "org/model", etag: '"abc"' });
  expect(await harness.run(PAGE, "listStored")).toMatchObject([{ id: "org/model", bytes: LARGE.byteLength, complete: true }]);
  server.clearLog();
  const { hashes, verdict } = await read(request);
  expect({ hash: hashes[WEIGHTS], verdict }).toEqual({ hash: sha256(LARGE), verdict: "sound" });
  expect(server.requests.filter(({ origin }) => origin === "cdn")).toEqual([]);
  expect(await harness.run(PAGE, "versions", { checkpoint: "org/model", file: WEIGHTS })).toEqual([{ validator: `sha256:${sha256(LARGE)}`, isVerified: true }]);
  measured("a store of release 0.1.0 loads with 0 bytes from the network, and is checked against the Hub's hash");
});

test("promise 4: a lost database connection heals", async ({ server, read, harness, browserName, measured }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can clear a site");
  server.addFolder({ [WEIGHTS]: LARGE });
  const session = await harness.page.context().newCDPSession(harness.page);
  const origin = new URL(harness.page.url()).origin;
  const clears = 10;
  for (let clear = 0; clear < clears; clear++) {
    const reading = read({ source: server.url, files: [WEIGHTS] });
    let isCleared = false; // once: a site that is cleared at every request gets nowhere
    server.onRequest = ({ path }) => {
      if (isCleared || !path.endsWith(WEIGHTS)) return;
      isCleared = true;
      void session.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb,file_systems" });
    };
    const { hashes, error } = await reading;
    expect({ error, hash: hashes[WEIGHTS] }).toEqual({ error: undefined, hash: sha256(LARGE) });
  }
  measured(`the site's data cleared under ${clears} downloads: ${clears} right results, none hung`);
});

test("promise 21: progress is honest", async ({ server, read, measured }) => {
  server.addFolder({ [WEIGHTS]: LARGE });
  server.faults = [faults.drip(MEBIBYTE, 20)];
  const { progress, elapsedMs } = await read({ source: server.url, files: [WEIGHTS] });
  const loaded = progress.map(({ loadedBytes }) => loadedBytes);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  expect(loaded.at(-1)).toBe(LARGE.byteLength);
  expect(progress.length).toBeLessThanOrEqual(Math.ceil(elapsedMs / 100) + 3);
  measured(`${progress.length} events in ${Math.round(elapsedMs)} ms, never falling, ending at 100 %`);
});
