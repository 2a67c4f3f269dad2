import { test } from "../support/fixtures.ts";
import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";

const F32_BOUND = 1e-5;
const HALF_STEP_BOUND = 4e-3; // a key that lies between two halves may round to either
const F16_BOUND = 1e-3;

function expectAttention(findings: readonly Finding[]): void {
  expectClose(findings.filter(({ name }) => name.includes("f32")), F32_BOUND);
  const halves = findings.filter(({ name }) => name.includes("f16"));
  expectClose(halves.filter(({ name }) => name.startsWith("appended")), HALF_STEP_BOUND);
  expectClose(halves.filter(({ name }) => !name.startsWith("appended")), F16_BOUND);
}

test("decode attention is right at every head size, group and split, around page borders, on pages in any order", async ({ harness }) => {
  expectAttention(await harness.run<Finding[]>("/e2e/kernels/attention_decode.page.ts", "decodeCases"));
});

test("prefill attention is right chunk after chunk, across page borders, beside other sequences", async ({ harness }) => {
  expectAttention(await harness.run<Finding[]>("/e2e/kernels/attention_prefill.page.ts", "prefillCases"));
});
