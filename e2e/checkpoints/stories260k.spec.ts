import { readFileSync } from "node:fs";

import { expect, shared, test } from "../support/fixtures.ts";
import type { Answer, Question } from "./answers.page.ts";
import type { Deviation, Run } from "./logits.page.ts";

// Real trained weights: karpathy's 260 thousand parameters, in three float formats, with what other runtimes make of them.

const FOLDER = "models/stories260K";
const ANSWERS = "/e2e/checkpoints/answers.page.ts";
const LOGITS = "/e2e/checkpoints/logits.page.ts";

interface Golden {
  full_ids: number[];
  prompts: { prompt: string; ids: number[]; greedy_ids: number[] }[];
}

const readShared = (path: string) => readFileSync(new URL(`../../../shared/assets/${FOLDER}/${path}`, import.meta.url), "utf8");
const urlOf = (path: string) => `${shared(FOLDER)}/${path}`;

test.skip(!shared(FOLDER), "the real assets, which hold stories260K, are not beside this clone");

test.describe.configure({ mode: "default" }); // one loaded model of each copy

for (const copy of ["hf-f32", "hf-f16"]) {
  test(`the greedy story of stories260K ${copy} is llama2.c's, to the letter`, async ({ sharedHarness }) => {
    // 200 steps from the start token alone, which the tokenizer puts before the empty prompt.
    const questions: Question[] = [{ prompt: "", options: { temperature: 0, maxTokens: 200 } }];
    const [story] = await sharedHarness.run<Answer[]>(ANSWERS, "ask", { source: urlOf(`${copy}/`), questions });
    expect(story.text).toBe(readShared("expected-greedy.txt"));
    expect(story.usage).toEqual({ promptTokens: 1, cachedTokens: 0, completionTokens: 200 });
  });
}

test("the greedy story of stories260K hf-bf16 begins as llama2.c's", async ({ sharedHarness }) => {
  // Rounding the weights to 8 bits turns the story elsewhere in its last sentence.
  const questions: Question[] = [{ prompt: "", options: { temperature: 0, maxTokens: 128 } }];
  const [story] = await sharedHarness.run<Answer[]>(ANSWERS, "ask", { source: urlOf("hf-bf16/"), questions });
  expect(story.usage.completionTokens).toBe(128);
  expect(story.text).toBe(readShared("expected-greedy.txt").slice(0, story.text.length));
});

test("stories260K continues prompts as transformers does, token by token", async ({ sharedHarness }) => {
  const { prompts } = JSON.parse(readShared("golden/golden.json")) as Golden;
  const questions: Question[] = prompts.map(({ prompt, greedy_ids }) => ({ prompt, options: { temperature: 0, maxTokens: greedy_ids.length } }));
  const answers = await sharedHarness.run<Answer[]>(ANSWERS, "ask", { source: urlOf("hf-f32/"), questions });
  for (const [i, { prompt, ids, greedy_ids }] of prompts.entries()) {
    expect(answers[i].usage.promptTokens, `tokens of "${prompt}"`).toBe(ids.length);
    expect(answers[i].tokenIds, `after "${prompt}"`).toEqual(greedy_ids);
  }
});

// Against the logits of the f32 weights, so a copy also shows what it lost: bfloat16 keeps 8 bits of each weight.
const COPIES = [
  { copy: "hf-f32", relative: 1e-2 },
  { copy: "hf-f16", relative: 1e-2 },
  { copy: "hf-bf16", relative: 3e-2 },
];

test("the logits of stories260K are those of transformers, in every float format", async ({ harness, browserName }) => {
  const copies = browserName === "chromium" ? COPIES.slice(0, 1) : COPIES; // its software adapter compiles each for ten seconds
  const { full_ids: tokenIds } = JSON.parse(readShared("golden/golden.json")) as Golden;
  const runs: Run[] = (["prefill", "decode"] as const).flatMap((path) => (["f32", "f16"] as const).map((kvCache) => ({ path, kvCache })));
  for (const { copy, relative } of copies) {
    const request = { source: urlOf(`${copy}/`), tokenIds, golden: urlOf("golden/logits.f32"), runs };
    const found = await harness.run<Deviation[]>(LOGITS, "storedModel", request);
    for (const [i, { path, kvCache }] of runs.entries()) {
      const label = `${copy}, ${path} with an ${kvCache} cache`;
      if (copy === "hf-f32" && kvCache === "f32") expect(found[i].absolute, label).toBeLessThan(1e-3);
      expect(found[i].relative, label).toBeLessThan(relative);
      expect(found[i].otherBest, `${label}: rows with another best token`).toBe(0);
    }
  }
});
