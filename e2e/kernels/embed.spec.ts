import { expect, test } from "../support/fixtures.ts";
import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";

const PAGE = "/e2e/kernels/embed.page.ts";
const BOUND = 1e-6; // one multiplication and one addition in f32

test("the words of the 4-bit and 8-bit formats mean the weights that their descriptions say", async ({ harness }) => {
  const found = await harness.run<{ q4: number[]; q8: number[] }>(PAGE, "knownWords");
  for (const [bits, weights] of [[4, found.q4], [8, found.q8]] as const) {
    expect(weights).toEqual(Array.from({ length: 32 }, (_, i) => 0.5 * ((5 * i + 3) % 2 ** bits) - 1.25));
  }
});

test("every weight format survives repacking in slices of odd lengths, and is embedded exactly", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "everyFormat"), BOUND);
});

test("two modules repack into alternate rows of a matrix in parts", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "interleavedParts"), BOUND);
});

test("rows are embedded from whichever part holds their token, and a sequence that has ended keeps its row", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "raggedRows"), BOUND);
});
