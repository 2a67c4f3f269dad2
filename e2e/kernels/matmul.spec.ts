import { expect, test } from "../support/fixtures.ts";
import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";

const PAGE = "/e2e/kernels/matmul.page.ts";
const BOUND = 1e-5; // f32 sums of up to 2880 products, relative to the row's root mean square
const CODES_BOUND = 3e-4; // as BOUND: codes of 16 bits, a scale for every 32, before a gate
const HALVES_BOUND = 1e-2; // as BOUND: inputs of 11 bits, before a gate; an H100 is off by 8e-3, without a gate by 7e-4
const PACKED_BOUND = 5e-4; // normalised mean square error

test.setTimeout(240_000); // many kernels to compile, on a machine that may be busy

test("matrix products are right for every weight format, in one row or many, under every schedule", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "everyFormat"), BOUND);
});

test("matrix products are right for ragged shapes, mixed formats, and matrices in parts", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "raggedShapes"), BOUND);
});

test("products of a single row are right, its inputs kept as floats, as whole numbers of 16 bits or as half floats", async ({ harness, browserName }) => {
  const floats = await harness.run<Finding[]>(PAGE, "singleRows", { operand: "floats" });
  test.skip(browserName === "firefox" && floats.length === 0, "this adapter has no subgroups");
  expectClose(floats, BOUND);
  expectClose(await harness.run<Finding[]>(PAGE, "singleRows", { operand: "bytes" }), CODES_BOUND);
  const halves = await harness.run<Finding[]>(PAGE, "singleRows", { operand: "halves" });
  if (halves.length > 0) expectClose(halves, HALVES_BOUND); // no software adapter has subgroups and half floats
});

test("a product that completes the residual stream prepares it for the one that reads it normalised", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>("/e2e/kernels/prepared_norms.page.ts", "pairs"), CODES_BOUND);
});

test("products of rounded inputs are near those of exact inputs, outliers or not", async ({ harness }) => {
  expectClose(await harness.run<Finding[]>(PAGE, "packedInputs"), PACKED_BOUND);
});

test("a product none of whose sequences is running writes nothing", async ({ harness }) => {
  expect(await harness.run<number>(PAGE, "allRowsEnded")).toBe(0);
});
