import { expect, test } from "../support/fixtures.ts";

type PageModule = typeof import("./full_disk.page.ts");

test("promise 3: a model loads and answers without being stored when the disk is full", async ({ harness, browserName }, testInfo) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can lower the quota");
  const session = await harness.page.context().newCDPSession(harness.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(harness.page.url()).origin, quotaSize: 4_000_000 });
  const found = await harness.run<Awaited<ReturnType<PageModule["loadOnFullDisk"]>>>("/e2e/long/full_disk.page.ts", "loadOnFullDisk");
  expect(found).toEqual({ code: "storage-full", tokens: 20 });
  testInfo.annotations.push({ type: "measured", description: "with room for 4 of 10 MB, 20 tokens without storing; with storage required, the load fails with storage-full" });
});
