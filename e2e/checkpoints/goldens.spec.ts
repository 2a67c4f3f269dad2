import { expect, test } from "../support/fixtures.ts";
import type { Deviation, Run } from "./logits.page.ts";

const PAGE = "/e2e/checkpoints/logits.page.ts";
const CASES = [
  "llama", "llama_linear_headdim", "llama_llama3rope_tied", "llama_yarn", "llama_odd", "llama_mqa", "mistral_sw", "qwen2", "qwen3",
] as const;

const F32_RUNS = (["tokens10", "tokens70"] as const).flatMap((tokens) =>
  (["prefill", "decode", "chunks"] as const).map((path) => ({ tokens, path, kvCache: "f32" as const })),
);
const F16_RUN = { tokens: "tokens70", path: "decode", kvCache: "f16" } as const;

const IN_CHROMIUM = ["llama", "qwen2"]; // a model of each pair of kernels; families.spec.ts runs the others there

for (const name of CASES) {
  test(`the logits of ${name} are those of transformers, prefilled, decoded and mixed`, async ({ harness, browserName }) => {
    test.skip(browserName === "chromium" && !IN_CHROMIUM.includes(name), "families.spec.ts runs it there, whose software adapter compiles for ten seconds");
    const found = await harness.run<Deviation[]>(PAGE, "randomModel", { name, runs: [...F32_RUNS, F16_RUN] });
    for (const [i, { tokens, path }] of F32_RUNS.entries()) {
      expect(found[i].absolute, `${tokens} ${path} with an f32 cache`).toBeLessThan(1e-3);
      expect(found[i].otherBest, `${tokens} ${path}: rows with another best token`).toBe(0);
    }
    expect(found[F32_RUNS.length].relative, "with an f16 cache").toBeLessThan(1e-2);
  });
}

test("dynamic rope scaling follows the length of the session", async ({ harness }) => {
  const runs = [{ tokens: "tokens70", path: "prefill", kvCache: "f32" }];
  const [found] = await harness.run<Deviation[]>(PAGE, "randomModel", { name: "llama_dynamic", runs });
  expect(found.absolute).toBeLessThan(1e-3);
});

test("the bundled model's logits are those of transformers over its dequantised weights", async ({ harness }) => {
  const runs: Run[] = (["prefill", "decode"] as const).flatMap((path) => (["f32", "f16"] as const).map((kvCache) => ({ path, kvCache })));
  const found = await harness.run<Deviation[]>(PAGE, "bundledModel", runs);
  for (const [i, { path, kvCache }] of runs.entries()) {
    if (kvCache === "f32") expect(found[i].absolute, `${path} with an f32 cache`).toBeLessThan(1e-3);
    else expect(found[i].relative, `${path} with an f16 cache`).toBeLessThan(1e-2);
  }
});
