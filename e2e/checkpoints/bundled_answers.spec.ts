import { readFileSync } from "node:fs";

import { expect, test } from "../support/fixtures.ts";
import type { ChatMessage } from "../../src/index.ts";
import type { Answer, Question } from "./answers.page.ts";

const PAGE = "/e2e/checkpoints/answers.page.ts";
const MODEL = "/models/hearth-tiny/";

interface GoldenPrompt {
  text: string;
  messages?: ChatMessage[];
  ids: number[];
  greedy: { ids: number[]; text: string; finishReason: "stop" | "length" };
}

const golden = JSON.parse(readFileSync(new URL("../goldens/hearth-tiny.json", import.meta.url), "utf8")) as { prompts: GoldenPrompt[] };
const LENGTH = 64; // tokens that each golden answer was allowed

const question = (prompt: Question["prompt"], maxTokens = LENGTH): Question => ({ prompt, options: { temperature: 0, maxTokens } });

test.describe.configure({ mode: "default" }); // one loaded model

test("the bundled model's greedy answers are those of transformers, token by token", async ({ sharedHarness }) => {
  const questions = golden.prompts.map(({ text, messages }) => question(messages ?? text));
  const answers = await sharedHarness.run<Answer[]>(PAGE, "ask", { source: MODEL, questions });
  for (const [i, { text, ids, greedy }] of golden.prompts.entries()) {
    expect(answers[i].usage.promptTokens, `tokens of ${text}`).toBe(ids.length);
    expect(answers[i].tokenIds, text).toEqual(greedy.ids);
    expect(answers[i].text, text).toBe(greedy.text);
    expect(answers[i].finishReason, text).toBe(greedy.finishReason);
  }
});

test("an answer that reuses the cache of the last one is the answer of a fresh model", async ({ sharedHarness }) => {
  const [, , chat] = golden.prompts;
  const opening = chat.messages!; // the third golden prompt is a conversation
  const next: ChatMessage[] = [...opening, { role: "assistant", content: chat.greedy.text }, { role: "user", content: "And of tall?" }];
  const questions = [question("Something else", 1), question(opening, 8), question(opening, 8), question(next, 24)];
  const [, first, repeated, reused] = await sharedHarness.run<Answer[]>(PAGE, "ask", { source: MODEL, questions });
  const [fresh] = await sharedHarness.run<Answer[]>(PAGE, "askFresh", { source: MODEL, questions: [question(next, 24)] });
  expect(first.usage.cachedTokens).toBe(0);
  expect(repeated.usage.cachedTokens).toBe(chat.ids.length - 1); // the last token runs again, for its logits
  expect(repeated.tokenIds).toEqual(first.tokenIds);
  expect(reused.usage.cachedTokens).toBeGreaterThan(chat.ids.length);
  expect(fresh.usage.cachedTokens).toBe(0);
  expect(reused.tokenIds).toEqual(fresh.tokenIds);
  expect(reused.text).toBe(fresh.text);
});
