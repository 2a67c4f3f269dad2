import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { sha256 } from "../support/fault_server.ts";
import { expect, openHarness } from "../support/fixtures.ts";
import { randomCheckpoint, type GoldenCase } from "../support/random_checkpoint.ts";
import { PAGE as FILES_PAGE, QUICK, test } from "./faults_setting.ts";
import type { Reading } from "./storage.page.ts";

const PAGE = "/e2e/faults/eviction.page.ts";
const golden = JSON.parse(readFileSync(fileURLToPath(new URL("../goldens/llama.json", import.meta.url)), "utf8")) as GoldenCase;
const files: Record<string, Uint8Array> = {};
for (const file of randomCheckpoint(golden)) files[file.name] = new Uint8Array(await file.arrayBuffer());
const SIZE = Object.values(files).reduce((sum, { byteLength }) => sum + byteLength, 0);
const [A, B, C, D, E, F] = ["a", "b", "c", "d", "e", "f"].map((name) => `org/${name}`);

test("promise 8: what was used the longest ago makes room, and never what is pinned or loaded in any tab", async ({ server, harness, measured }) => {
  const endpoint = server.hub;
  for (const id of [A, B, C, D, E, F]) server.publish(id, files);
  const tab = await openHarness(await harness.page.context().newPage());
  const read = (id: string) => harness.run<Reading>(FILES_PAGE, "readFiles", { source: id, endpoint, files: Object.keys(files), retry: QUICK }); // a load without its GPU
  const stored = async () => (await harness.run<{ id: string; bytes: number; pinned: boolean; complete: boolean }[]>(PAGE, "list"));
  for (const id of [A, B, C, D]) await read(id);
  await read(B); // from storage
  await harness.run(PAGE, "load", { id: A, endpoint });
  expect(await harness.run(PAGE, "pin", { id: C, pinned: true })).toBeUndefined();
  expect(await harness.run(PAGE, "pin", { id: E, pinned: true })).toBe("storage"); // nothing of it is there to keep
  expect(await stored()).toEqual([A, B, D, C].map((id) => ({ id, bytes: SIZE, pinned: id === C, complete: true })));

  await tab.run(PAGE, "load", { id: E, endpoint, storageBudget: 4 * SIZE });
  expect((await stored()).map(({ id }) => id)).toEqual([E, A, B, C]); // D was the oldest but for what is pinned
  await tab.run(PAGE, "load", { id: F, endpoint, storageBudget: 0 });
  expect((await stored()).map(({ id }) => id)).toEqual([F, E, A, C]); // no more than may go, and F is stored all the same
  for (const page of [harness, tab]) expect(await page.run(PAGE, "trim", 0)).toEqual([]);
  for (const [page, id] of [[harness, A], [tab, E], [tab, F]] as const) expect(await page.run(PAGE, "answers", id)).toBe(true);

  server.clearLog();
  for (const id of [A, C, E, F]) {
    const { verdict, hashes } = await read(id);
    expect({ verdict, hashes }).toEqual({ verdict: "sound", hashes: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)])) });
  }
  expect(server.requests.filter(({ path }) => path.endsWith(".safetensors"))).toEqual([]);

  for (const page of [harness, tab]) await page.run(PAGE, "unloadAll");
  expect(await harness.run(PAGE, "trim", SIZE)).toEqual([A, E, F]);
  expect(await harness.run(PAGE, "pin", { id: C, pinned: false })).toBeUndefined();
  expect(await harness.run(PAGE, "trim", SIZE)).toEqual([]); // it is not over the budget
  expect(await harness.run(PAGE, "trim", SIZE - 1)).toEqual([C]);
  expect(await stored()).toEqual([]);
  measured("6 models of two tabs and a budget of 4: D goes, then B; the pinned C and the loaded A, E and F stay at any budget, hashes equal; once let go they go in the order of their use");
});
