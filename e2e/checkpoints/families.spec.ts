import { readFileSync } from "node:fs";

import { FAMILIES } from "../../src/models/registry.ts";
import { expect, test } from "../support/fixtures.ts";
import type { FamilyDeviation, FamilyGolden, Spelling } from "./families.page.ts";

const PAGE = "/e2e/checkpoints/families.page.ts";
const goldens = JSON.parse(readFileSync(new URL("../goldens/families.json", import.meta.url), "utf8")) as FamilyGolden[];

for (const golden of goldens.filter(({ model_type }) => FAMILIES.has(model_type))) {
  test(`the logits of ${golden.name} are those of transformers, prefilled and decoded`, async ({ harness }) => {
    const found = await harness.run<FamilyDeviation>(PAGE, "runFamily", { golden });
    expect(found.golden, "difference from the golden logits").toBeLessThan(5e-4);
    expect(found.l2, "difference of the norm of all logits").toBeLessThan(1e-3);
    expect(found.argmax).toBe(golden.argmax);
    expect(found.decode, "difference between decoding and prefilling").toBeLessThan(5e-4);
  });
}

const SPELLINGS: Record<string, Spelling> = {
  "Hugging Face wrappers": { prefix: "model.language_model.", head: "" },
  "MLX and older wrappers": { prefix: "language_model.model.", head: "language_model." },
  "bare base models": { prefix: "", head: "" },
};

for (const [name, spelling] of Object.entries(SPELLINGS)) {
  test(`tensors are found under the names of ${name}`, async ({ harness }) => {
    for (const golden of goldens.filter((one) => one.name === "gemma3_text" || one.name === "phi3")) {
      const found = await harness.run<FamilyDeviation>(PAGE, "runFamily", { golden, spelling });
      expect(found.golden).toBeLessThan(5e-4);
    }
  });
}
