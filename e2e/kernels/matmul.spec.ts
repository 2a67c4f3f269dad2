import { expect, test } from "../support/fixtures.ts";
import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";

const PAGE = "/e2e/kernels/matmul.page.ts";
const BOUND = 1e-5; // f32 sums of up to 2880 products, relative to the row's root mean square
const PACKED_BOUND = 5e-4; // normalised mean square error

test.setTimeout(240_000); // many kernels to compile, on a machine that may be busy

test("matrix products are right for every weight format, in one row or many, under every schedule", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "everyFormat"), BOUND);
});

test("matrix products are right for ragged shapes, mixed formats, and matrices in parts", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "raggedShapes"), BOUND);
});

test("products of rounded inputs are near those of exact inputs, outliers or not", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "packedInputs"), PACKED_BOUND);
});

test("a product none of whose sequences is running writes nothing", async ({ harness }) => {
  expect(await harness.run<number>(PAGE, "allRowsEnded")).toBe(0);
});
