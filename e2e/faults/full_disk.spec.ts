import { sha256 } from "../support/fault_server.ts";
import { expect } from "../support/fixtures.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MEBIBYTE, PAGE, test } from "./faults_setting.ts";

const WEIGHTS = "model.safetensors";
const LARGE = randomBytes(40 * MEBIBYTE);

test("promise 9: what a browser says of its free space stops no load", async ({ server, readInPage, harness, measured }) => {
  server.addFolder({ [WEIGHTS]: LARGE.subarray(0, MEBIBYTE) });
  const estimates = ["async () => ({ quota: 10, usage: 10 })", "async () => ({})", "undefined", "async () => { throw new TypeError('no estimate') }"];
  for (const estimate of estimates) {
    await harness.page.evaluate(`Object.defineProperty(navigator.storage, "estimate", { configurable: true, value: ${estimate} })`);
    const { error, verdict, hashes } = await readInPage({ source: server.url, files: [WEIGHTS] });
    expect({ error, verdict, hash: hashes[WEIGHTS] }).toEqual({ error: undefined, verdict: "sound", hash: sha256(LARGE.subarray(0, MEBIBYTE)) });
    expect(await harness.run(PAGE, "listStored")).toMatchObject([{ bytes: MEBIBYTE, complete: true }]);
    await harness.run(PAGE, "removeStored", server.url);
  }
  measured(`${estimates.length} of ${estimates.length} loads stored and sound: no space left, no numbers, no estimate, one that fails`);
});

test("promise 3: a full disk is a choice, not a crash", async ({ server, read, readInPage, harness, browserName, measured }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can lower the quota");
  server.addFolder({ [WEIGHTS]: LARGE });
  const session = await harness.page.context().newCDPSession(harness.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(harness.page.url()).origin, quotaSize: 25_000_000 });
  for (const readHere of [read, readInPage]) { // which store chunks as files and in the database
    const required = await readHere({ source: server.url, files: [WEIGHTS] });
    expect(required.error).toMatchObject({ code: "storage-full", message: expect.stringMatching(/uses \d+ MB and may use up to \d+ MB/) });
    const preferred = await readHere({ source: server.url, files: [WEIGHTS], survivesStorage: true });
    expect(preferred).toMatchObject({ verdict: "sound", hashes: { [WEIGHTS]: sha256(LARGE) } });
    expect(preferred.storageErrors).toHaveLength(1);
    await harness.run(PAGE, "removeStored", server.url);
  }
  measured("with room for 25 of 42 MB: required fails with the numbers, preferred reads and checks everything");
});
