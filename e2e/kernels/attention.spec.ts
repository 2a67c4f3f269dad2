import { test } from "../support/fixtures.ts";
import { expectAttention } from "./expect_attention.ts";
import type { Finding } from "./kernel_runs.ts";

test("decode attention is right at every head size, group and split, around page borders, on pages in any order", async ({ harness }) => {
  expectAttention(await harness.run<Finding[]>("/e2e/kernels/attention_decode.page.ts", "decodeCases"));
});

test("prefill attention is right chunk after chunk, across page borders, beside other sequences", async ({ harness }) => {
  expectAttention(await harness.run<Finding[]>("/e2e/kernels/attention_prefill.page.ts", "prefillCases"));
});
