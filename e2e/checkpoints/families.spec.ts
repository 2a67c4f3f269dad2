import { readFileSync } from "node:fs";

import { FAMILIES } from "../../src/models/registry.ts";
import { expect, test } from "../support/fixtures.ts";
import type { FamilyDeviation, FamilyGolden, Spelling } from "./families.page.ts";

const PAGE = "/e2e/checkpoints/families.page.ts";
const GROUP = 6; // families that share a page and its compiled kernels

const goldens = readGoldens().filter(({ model_type }) => FAMILIES.has(model_type));
const OWN_KERNELS = ["falcon_h1_gate_norm", "falcon_h1_norm_gate", "gemma4_moe"]; // switches with a kernel that no case of ten tokens runs
const runsInBoth = ({ name, ten }: FamilyGolden) => ten !== undefined || OWN_KERNELS.includes(name);
const inGroups = (some: FamilyGolden[]) => Array.from({ length: Math.ceil(some.length / GROUP) }, (_, i) => some.slice(i * GROUP, (i + 1) * GROUP));

for (const group of [...inGroups(goldens.filter(runsInBoth)), ...inGroups(goldens.filter((golden) => !runsInBoth(golden)))]) {
  test(`prefilled and decoded logits are those of transformers: ${group.map(({ name }) => name).join(", ")}`, async ({ harness, browserName }) => {
    test.skip(browserName === "chromium" && !group.some(runsInBoth), "a family's switches run the kernels that its cases in both browsers run");
    test.setTimeout(300_000);
    const found = await harness.run<FamilyDeviation[]>(PAGE, "runFamilies", group.map((golden) => ({ golden })));
    for (const { name, golden, l2, otherBest, decode } of found) {
      expect.soft(golden, `${name}: difference from the golden logits`).toBeLessThan(5e-4);
      expect.soft(l2, `${name}: difference of the norm of all logits`).toBeLessThan(1e-3);
      expect.soft(otherBest, `${name}: positions with another most likely token`).toBe(0);
      expect.soft(decode, `${name}: difference between decoding and prefilling`).toBeLessThan(5e-4);
    }
  });
}

/** The values of ten tokens and of seventy, case by case. */
function readGoldens(): FamilyGolden[] {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`../goldens/${name}.json`, import.meta.url), "utf8")) as (FamilyGolden & NonNullable<FamilyGolden["ten"]> & NonNullable<FamilyGolden["seventy"]>)[];
  const tens = new Map(read("families").map(({ name, L2, argmax, last6, first3 }) => [name, { L2, argmax, last6, first3 }]));
  return read("families70").map(({ name, model_type, config, L2, argmax, rows }) => ({ name, model_type, config, ten: tens.get(name), seventy: { L2, argmax, rows } }));
}

/** Names and data are the same in every browser, and kernels are compared in both elsewhere; Chromium's software adapter compiles for minutes. */
function skipInChromium(browserName: string): void {
  test.skip(browserName === "chromium", "the kernels of both browsers are compared in other specs, and its software adapter compiles for minutes");
}

// One of each kind of mixer, MLP and norm: what differs between families beyond these is numbers. A long run takes them all.
const KINDS = process.env.HEARTH_LONG ? goldens.map(({ name }) => name) : ["llama", "stablelm_12b", "gemma2", "gpt_oss", "qwen3_next", "granitemoehybrid_mamba", "lfm2_moe", "gemma3n_text", "gemma4_text", "gemma4_moe"];

test("two sequences decoded side by side are each as if alone, of every kind of family", async ({ harness, browserName }) => {
  skipInChromium(browserName);
  test.setTimeout(300_000);
  const some = goldens.filter(({ name }) => KINDS.includes(name));
  const found = await harness.run<{ name: string; difference: number }[]>("/e2e/checkpoints/batch.page.ts", "decodeTogether", some);
  expect(found.map(({ name }) => name).sort()).toEqual([...KINDS].sort());
  for (const { name, difference } of found) expect.soft(difference, name).toBeLessThan(5e-4);
});

const SPELLINGS: Record<string, Spelling> = {
  "Hugging Face wrappers": { prefix: "model.language_model.", head: "" },
  "MLX and older wrappers": { prefix: "language_model.model.", head: "language_model." },
  "bare base models": { prefix: "", head: "" },
};

test(`tensors are found under the names of ${Object.keys(SPELLINGS).join(", ")}`, async ({ harness, browserName }) => {
  skipInChromium(browserName);
  const some = goldens.filter(({ name }) => name === "gemma3_text" || name === "phi3");
  const requests = Object.values(SPELLINGS).flatMap((spelling) => some.map((golden) => ({ golden, spelling })));
  const found = await harness.run<FamilyDeviation[]>(PAGE, "runFamilies", requests);
  for (const { name, golden } of found) expect(golden, name).toBeLessThan(5e-4);
});

for (const name of ["lfm2", "qwen3_5_text", "granitemoehybrid_mamba"]) {
  test(`a sequence of ${name} goes back to where its states were saved`, async ({ harness, browserName }) => {
    skipInChromium(browserName);
    expect(await harness.run<number>(PAGE, "goBack", goldens.find((golden) => golden.name === name))).toBeLessThan(5e-4);
  });
}

test("what MLX rewrites when it saves a model is recognised", async ({ harness, browserName }) => {
  skipInChromium(browserName);
  const spelling: Spelling = { prefix: "model.", head: "", rewrittenBy: "mlx" };
  const some = goldens.filter(({ name }) => ["qwen3_moe", "qwen3_next", "lfm2_moe", "falcon_h1", "falcon_h1_norm_gate", "gemma4_moe", "gpt_oss", "gpt2", "gpt_neox"].includes(name));
  const found = await harness.run<FamilyDeviation[]>(PAGE, "runFamilies", some.map((golden) => ({ golden, spelling })));
  for (const { name, golden } of found) expect(golden, name).toBeLessThan(5e-4);
});

test("experts that newer transformers save in two parameters are recognised", async ({ harness, browserName }) => {
  skipInChromium(browserName);
  const spelling: Spelling = { prefix: "model.", head: "", rewrittenBy: "transformers" };
  const some = goldens.filter(({ name }) => name === "qwen3_5_moe");
  const found = await harness.run<FamilyDeviation[]>(PAGE, "runFamilies", some.map((golden) => ({ golden, spelling })));
  for (const { name, golden } of found) expect(golden, name).toBeLessThan(5e-4);
});

test("experts may lie in several bindings", async ({ harness, browserName }) => {
  skipInChromium(browserName);
  const some = goldens.filter(({ name }) => name === "qwen3_moe" || name === "gemma4_moe");
  const found = await harness.run<FamilyDeviation[]>(PAGE, "runFamilies", some.map((golden) => ({ golden, bindingBytes: 40_960 }))); // of one or two experts each
  for (const { name, golden, decode } of found) {
    expect(golden, name).toBeLessThan(5e-4);
    expect(decode, name).toBeLessThan(5e-4);
  }
});
