import { expect, test } from "../support/fixtures.ts";

const PAGE = "/e2e/kernels/stream_read.page.ts";

test("the plain read that bandwidth is measured by reads all of a buffer", async ({ harness }) => {
  const quads = 2 * 2048 + 16; // two workgroups, and a part of one
  const read = [0, 255, 256, 2047, 2048, 3000, 4095, 4096, quads - 1];
  expect(await harness.run<boolean[]>(PAGE, "marksOf", { quads, places: [undefined, ...read] })).toEqual([false, ...read.map(() => true)]);
});
