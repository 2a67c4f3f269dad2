import { expect, test } from "../support/fixtures.ts";
import type { Deviation } from "./logits.page.ts";

const PAGE = "/e2e/checkpoints/logits.page.ts";
const CASES = [
  "llama", "llama_linear_headdim", "llama_llama3rope_tied", "llama_yarn", "llama_odd", "llama_mqa", "mistral_sw", "qwen2", "qwen3",
] as const;

for (const name of CASES) {
  test(`the logits of ${name} are those of transformers, prefilled, decoded and mixed`, async ({ harness }) => {
    for (const tokens of ["tokens10", "tokens70"] as const) {
      for (const path of ["prefill", "decode", "chunks"] as const) {
        const f32 = await harness.run<Deviation>(PAGE, "randomModel", { name, tokens, path, kvCache: "f32" });
        expect(f32.absolute, `${tokens} ${path} with an f32 cache`).toBeLessThan(1e-3);
        expect(f32.otherBest).toBe(0);
      }
    }
    const f16 = await harness.run<Deviation>(PAGE, "randomModel", { name, tokens: "tokens70", path: "decode", kvCache: "f16" });
    expect(f16.relative, "with an f16 cache").toBeLessThan(1e-2);
  });
}

test("dynamic rope scaling follows the length of the session", async ({ harness }) => {
  const found = await harness.run<Deviation>(PAGE, "randomModel", { name: "llama_dynamic", tokens: "tokens70", path: "prefill", kvCache: "f32" });
  expect(found.absolute).toBeLessThan(1e-3);
});

test("the bundled model's logits are those of transformers over its dequantised weights", async ({ harness }) => {
  for (const path of ["prefill", "decode"] as const) {
    const f32 = await harness.run<Deviation>(PAGE, "bundledModel", { path, kvCache: "f32" });
    expect(f32.absolute, path).toBeLessThan(1e-3);
    const f16 = await harness.run<Deviation>(PAGE, "bundledModel", { path, kvCache: "f16" });
    expect(f16.relative, path).toBeLessThan(1e-2);
  }
});
