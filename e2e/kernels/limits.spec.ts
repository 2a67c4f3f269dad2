import { expect, test } from "../support/fixtures.ts";
import { expectAttention } from "./expect_attention.ts";
import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";
import type { Conversation } from "./sample.page.ts";

test("every kernel runs within the limits that WebGPU promises everywhere", async ({ harness }) => {
  const gpuOptions = { defaultLimits: true };
  expectClose(await harness.run<Finding[]>("/e2e/kernels/matmul.page.ts", "everyFormat", { gpuOptions, every: 7 }), 1e-5);
  expectClose(await harness.run<Finding[]>("/e2e/kernels/embed.page.ts", "raggedRows", { gpuOptions }), 1e-6);
  expectAttention(await harness.run<Finding[]>("/e2e/kernels/attention_decode.page.ts", "decodeCases", { gpuOptions, every: 6 }));
  expectAttention(await harness.run<Finding[]>("/e2e/kernels/attention_prefill.page.ts", "prefillCases", { gpuOptions, every: 3 }));
  const { surprises } = await harness.run<Conversation>("/e2e/kernels/sample.page.ts", "conversation", { schedule: "processor", steps: 3, gpuOptions });
  expect(surprises).toEqual([]);
});
