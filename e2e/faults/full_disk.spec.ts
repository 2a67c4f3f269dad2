import { expect } from "../support/fixtures.ts";
import { test } from "./faults_setting.ts";

type PageModule = typeof import("./full_disk.page.ts");

test("promise 3: a full disk is a choice, not a crash", async ({ harness, browserName, measured }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can lower the quota");
  const session = await harness.page.context().newCDPSession(harness.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(harness.page.url()).origin, quotaSize: 4_000_000 });
  const found = await harness.run<Awaited<ReturnType<PageModule["loadOnFullDisk"]>>>("/e2e/faults/full_disk.page.ts", "loadOnFullDisk");
  expect(found.required).toMatchObject({ code: "storage-full", message: expect.stringMatching(/uses \d+ MB and may use up to 4 MB/) });
  expect(found.tokens).toEqual({ preferred: 20, none: 20 });
  measured("with room for 4 of 10 MB: \"required\" fails with the numbers, \"preferred\" and \"none\" load and write 20 tokens");
});
