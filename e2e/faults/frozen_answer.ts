import type { GenerateOptions, LanguageModel } from "../../src/index.ts";
import { watchGaps } from "../support/thread_gaps.ts";

/** An answer in whose middle the page may stand still. */
export interface FrozenAnswer {
  /** The whole text, the longest time for which the page stood still, and what was left to wait for from this call on. */
  end(): Promise<{ text: string; longestGapMs: number; resumedMs: number }>;
}

/** Begin an answer, and watch how long the page stands still; resolves once it has begun. */
export async function beginFrozenAnswer(model: LanguageModel, prompt: string, options: GenerateOptions): Promise<FrozenAnswer> {
  const stream = model.stream(prompt, options);
  let text = (await stream.next()).value.text;
  const gaps = watchGaps();
  const rest = (async () => {
    for await (const chunk of stream) text += chunk.text;
    return gaps.stop();
  })();
  return {
    async end() {
      const resumed = performance.now();
      const longestGapMs = await rest;
      return { text, longestGapMs, resumedMs: performance.now() - resumed };
    },
  };
}
