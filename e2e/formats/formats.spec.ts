import { readFileSync } from "node:fs";
import { expect, test } from "../support/fixtures.ts";
import type { Finding } from "../kernels/kernel_runs.ts";
import type { LogitErrors } from "./checkpoint.page.ts";
import type { Differences } from "./quantise.page.ts";
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

test("a whole checkpoint of every format becomes the matrices of its dequantised weights", async ({ harness }) => {
  const findings = await harness.run<Finding[]>("/e2e/formats/checkpoint.page.ts", "compareWeights");
  for (const [i, { name, error }] of findings.entries()) expect.soft(error, name).toBeLessThan(FORMAT_CASES[i].isRounded ? HALF : EXACT);
  expect(findings.length).toBe(FORMAT_CASES.length);
});

test("float weights are quantised on load to the very bits of MLX's quantiser", async ({ harness }) => {
  const findings = await harness.run<Differences[]>("/e2e/formats/quantise.page.ts", "quantiseEverything");
  expect(findings.length).toBe(12);
  expect(findings.filter(({ codes, pairs }) => codes + pairs > 0)).toEqual([]);
});

test("a float checkpoint quantised on load keeps its embedding at 8 bits", async ({ harness }) => {
  const formats = await harness.run<string[]>("/e2e/formats/checkpoint.page.ts", "quantisedFormats", "q4");
  expect(formats).toEqual(["q8 f32 g64", ...Array.from({ length: 4 }, () => "q4 f32 g64")]);
});

test("float checkpoints stay floats while they are small, go to 8 bits when they are not, and to what is asked for", async ({ harness }) => {
  const found = await harness.run<unknown[]>("/e2e/formats/checkpoint.page.ts", "quantizedByDefault");
  expect(found).toEqual(["none", "q8", "q4"]);
});

// Formats that become the same on the GPU share a page, and with it their compiled kernels: compiling takes nearly all the time.
const LOGIT_CASES: Readonly<Record<string, readonly string[]>> = {
  "4-bit integers": ["GPTQ, 4 bits", "AWQ gemm", "compressed-tensors, 4 bits, asymmetric", "AutoRound in GPTQ's layout", "HQQ, 4 bits", "quanto int4", "torchao int4"],
  "8-bit integers": ["GPTQ, 8 bits", "compressed-tensors int8", "bitsandbytes int8"],
  "normal floats": ["bitsandbytes nf4", "bitsandbytes nf4, scales quantised again"],
  "4-bit floats": ["MLX nvfp4", "compressed-tensors nvfp4", "ModelOpt nvfp4", "mxfp4 of gpt-oss"],
  "8-bit floats": ["FP8, a scale for each block"],
  "integers in an order of their own": ["GPTQ, 4 bits, act-order"],
};

for (const [kind, names] of Object.entries(LOGIT_CASES)) {
  test(`the logits of checkpoints of ${kind} are those of their dequantised weights`, async ({ harness }) => {
    test.slow();
    const findings = await harness.run<LogitErrors[]>("/e2e/formats/checkpoint.page.ts", "compareLogits", names);
    for (const { name, prefill, decode } of findings) {
      expect.soft(prefill, `${name}, prefilled`).toBeLessThan(2e-3);
      expect.soft(decode, `${name}, decoded`).toBeLessThan(2e-3);
    }
    expect(findings.length).toBe(names.length);
  });
}

test("families with a format of their own, gpt-oss and BitNet, say in it what they say in floats", async ({ harness }) => {
  const findings = await harness.run<Finding[]>("/e2e/formats/family.page.ts", "familyFormats");
  for (const { name, error } of findings) expect.soft(error, name).toBeLessThan(2e-3);
  expect(findings.length).toBe(2);
});

test("weights of every family that are quantised on load stay where they are", async ({ harness }) => {
  test.slow();
  const goldens = JSON.parse(readFileSync(new URL("../goldens/families.json", import.meta.url), "utf8")) as { name: string; config: Record<string, unknown> }[];
  const findings = await harness.run<Finding[]>("/e2e/formats/family.page.ts", "quantisedFamilies", goldens.map(({ name, config }) => ({ name, config })));
  for (const { name, error } of findings) expect.soft(error, name).toBeLessThan(0.02);
  expect(findings.length).toBe(goldens.length);
});
