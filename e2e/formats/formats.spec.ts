import { expect, test } from "../support/fixtures.ts";
import type { Finding } from "../kernels/kernel_runs.ts";
import type { LogitErrors } from "./checkpoint.page.ts";
import { FORMAT_CASES } from "./format_cases.ts";

const EXACT = 2e-6; // a few roundings of f32, which codes of 8 bits amplify
const HALF = 2e-3; // weights kept as half floats, relative to the root mean square of all

test("worked examples of every format mean the documented weights", async ({ harness }) => {
  const findings = await harness.run<Finding[]>("/e2e/formats/repack.page.ts", "workedExamples");
  for (const { name, error } of findings) expect.soft(error, name).toBeLessThan(1e-6);
});

test("weights of every format are what their tensors mean, in whatever order and slices these come", async ({ harness }) => {
  const findings = await harness.run<Finding[]>("/e2e/formats/repack.page.ts", "everyFormat");
  for (const [i, { name, error }] of findings.entries()) expect.soft(error, name).toBeLessThan(FORMAT_CASES[i].isRounded ? HALF : EXACT);
  expect(findings.length).toBe(FORMAT_CASES.length);
});

for (const { name } of FORMAT_CASES) {
  test(`the logits of a checkpoint in ${name} are those of its dequantised weights`, async ({ harness }) => {
    const { prefill, decode } = await harness.run<LogitErrors>("/e2e/formats/checkpoint.page.ts", "compareLogits", name);
    expect(prefill, "prefilled").toBeLessThan(2e-3);
    expect(decode, "decoded").toBeLessThan(2e-3);
  });
}
