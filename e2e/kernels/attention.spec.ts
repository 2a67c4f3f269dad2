import { test } from "../support/fixtures.ts";
import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";

const F32_BOUND = 1e-5;
const F16_BOUND = 1e-3; // a key may round to either of two halves

test("decode attention is right at every head size, group and split, around page borders, on pages in any order", async ({ harness }) => {
  const findings = await harness.run<Finding[]>("/e2e/kernels/attention_decode.page.ts", "decodeCases");
  expectClose(findings.filter(({ name }) => name.includes("f32")), F32_BOUND);
  expectClose(findings.filter(({ name }) => name.includes("f16")), F16_BOUND);
});
