import { expect, test } from "../support/fixtures.ts";

const PAGE = "/e2e/storage/kept_results.page.ts";

test("a result is kept for the version that made it, in place of those of others", async ({ harness }) => {
  const { first, then, models } = await harness.run<Awaited<ReturnType<typeof import("./kept_results.page.ts").keepTwoVersions>>>(PAGE, "keepTwoVersions");
  expect(first).toEqual({ own: { workgroup: 64 }, other: undefined });
  expect(then).toEqual({ older: undefined, newer: { workgroup: 256 }, elsewhere: "untouched" });
  expect(models).toEqual([]); // results are no models
});
