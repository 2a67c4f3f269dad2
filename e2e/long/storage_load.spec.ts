import { existsSync } from "node:fs";
import type { Server } from "node:http";
import type { Page } from "@playwright/test";

import { launchOptions } from "../../tools/driver/browser.mjs";
import { expect, test as base } from "../support/fixtures.ts";
import { safetensorsBeginning, serveLargeCheckpoint } from "../support/large_file_server.ts";
import { TIMED } from "../support/measured.ts";
import { largestRendererBytes } from "../support/process_memory.ts";
import { randomBytes } from "../support/random_bytes.ts";

const PAGE = "/e2e/long/storage_load.page.ts";
const STORAGE_PAGE = "/e2e/faults/storage.page.ts";
const MEBIBYTE = 2 ** 20;
const ROUNDS = 3; // what else runs on a machine changes within seconds, so a load is compared with the network just before it

/** A page of a browser with a profile on disk: without one, a browser keeps its databases in memory, and small. */
const test = base.extend<{ page: Page }>({
  page: async ({ playwright, browserName, baseURL }, use, testInfo) => {
    const options = browserName === "firefox" ? launchOptions("firefox") : launchOptions("chromium", "software");
    const context = await playwright[browserName].launchPersistentContext(testInfo.outputPath("profile"), { ...options, baseURL });
    await use(await context.newPage());
    await context.close();
  },
});
const BLOCK = randomBytes(16 * MEBIBYTE + 4097); // an odd length, so that no two chunks of a file are alike

/** Serve `model.safetensors` of this length, whose tensors repeat one block of random bytes. */
async function serveCheckpoint(byteLength: number): Promise<{ url: string; server: Server; tensorBytes: number }> {
  const tensorBytes = byteLength - 64 * 1024;
  const each = tensorBytes / 64;
  const tensors = Array.from({ length: 64 }, (_, i) => [`layer.${i}`, { dtype: "U8", shape: [each], data_offsets: [i * each, (i + 1) * each] }]);
  const beginning = safetensorsBeginning(Object.fromEntries(tensors), 64 * 1024);
  return { ...(await serveLargeCheckpoint({ beginning, block: BLOCK, byteLength })), tensorBytes };
}

test("promise 6: a load of 2 GB takes less than 300 MB of memory", async ({ harness }, testInfo) => {
  test.skip(!existsSync("/proc/self/status"), "memory of processes is read from /proc");
  test.setTimeout(600_000);
  const { url, server, tensorBytes } = await serveCheckpoint(2048 * MEBIBYTE);
  const before = largestRendererBytes();
  test.skip(before === undefined, "this browser's renderers are not to be found among the processes");
  let peak = 0;
  const sampling = setInterval(() => (peak = Math.max(peak, largestRendererBytes() ?? 0)), 100);
  const texts: string[] = [];
  for (const when of ["cold", "warm"]) {
    peak = 0;
    const found = await harness.runInWorker<{ tensorBytes: number; elapsedMs: number }>(PAGE, "readTensors", url);
    expect(found.tensorBytes).toBe(tensorBytes);
    const grown = (peak - before!) / 1e6; // skipped above when undefined
    expect(grown).toBeLessThan(300);
    texts.push(`${when}: ${Math.round(grown)} MB above the idle page at the peak, ${Math.round(tensorBytes / 1e3 / found.elapsedMs)} MB/s`);
  }
  clearInterval(sampling);
  server.close();
  testInfo.annotations.push({ type: "measured", description: texts.join("; ") });
});

test("promise 7: a load is nearly as fast as network and storage alone", TIMED, async ({ harness }, testInfo) => {
  test.setTimeout(600_000);
  const byteLength = 512 * MEBIBYTE;
  const { url, server } = await serveCheckpoint(byteLength);
  const megabytesPerSecond = (ms: number) => Math.round(byteLength / 1e3 / ms);
  // Databases fill the system's write cache, so that whatever comes later is slower: what is compared with comes before and after.
  const databaseAlone = () => harness.runInWorker<{ writeMs: number; readMs: number }>(PAGE, "databaseAlone", byteLength);
  const before = await databaseAlone();
  const rounds: { network: number; cold: number; warm: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const network = await harness.runInWorker<number>(PAGE, "networkAlone", `${url}model.safetensors`);
    const cold = await harness.runInWorker<{ elapsedMs: number }>(PAGE, "readTensors", url);
    const warm = await harness.runInWorker<{ elapsedMs: number }>(PAGE, "readTensors", url);
    await harness.run(STORAGE_PAGE, "removeStored", url);
    rounds.push({ network, cold: cold.elapsedMs, warm: warm.elapsedMs });
  }
  const after = await databaseAlone();
  server.close();
  const alone = { writeMs: (before.writeMs + after.writeMs) / 2, readMs: (before.readMs + after.readMs) / 2 };
  const coldRatio = median(rounds.map(({ network, cold }) => Math.max(network, alone.writeMs) / cold));
  const warmRatio = median(rounds.map(({ warm }) => alone.readMs / warm));
  const speeds = (part: keyof (typeof rounds)[0]) => rounds.map((round) => megabytesPerSecond(round[part])).join(", ");
  testInfo.annotations.push({
    type: "measured",
    description: `alone: network ${speeds("network")}, write ${megabytesPerSecond(alone.writeMs)}, read ${megabytesPerSecond(alone.readMs)} MB/s; `
      + `cold ${speeds("cold")} MB/s (${Math.round(100 * coldRatio)} % of the slower), warm ${speeds("warm")} MB/s (${Math.round(100 * warmRatio)} % of reading)`,
  });
  expect(coldRatio).toBeGreaterThan(0.8);
  expect(warmRatio).toBeGreaterThan(0.8);
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
