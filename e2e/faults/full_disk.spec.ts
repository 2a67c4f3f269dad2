import { sha256 } from "../support/fault_server.ts";
import { expect } from "../support/fixtures.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MEBIBYTE, test } from "./faults_setting.ts";

const WEIGHTS = "model.safetensors";
const LARGE = randomBytes(40 * MEBIBYTE);

test("promise 3: a full disk is a choice, not a crash", async ({ server, read, harness, browserName, measured }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can lower the quota");
  server.addFolder({ [WEIGHTS]: LARGE });
  const session = await harness.page.context().newCDPSession(harness.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(harness.page.url()).origin, quotaSize: 25_000_000 });
  const required = await read({ source: server.url, files: [WEIGHTS] });
  expect(required.error).toMatchObject({ code: "storage-full", message: expect.stringMatching(/uses \d+ MB and may use up to \d+ MB/) });
  const preferred = await read({ source: server.url, files: [WEIGHTS], survivesStorage: true });
  expect(preferred).toMatchObject({ verdict: "sound", hashes: { [WEIGHTS]: sha256(LARGE) } });
  expect(preferred.storageErrors).toHaveLength(1);
  measured("with room for 25 of 42 MB: required fails with the numbers, preferred reads and checks everything");
});
