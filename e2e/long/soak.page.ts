// Runs in a page: a visit in which everything happens that visitors do, over and over.
import { loadModel, type LanguageModel } from "../../src/index.ts";

const GREEDY = { maxTokens: 24, temperature: 0 };

/** What a visit saw. */
export interface Visit {
  /** Of the same question, in every visit. */
  text: string;
  tokensPerSecond: number;
  /** The names of errors that aborted calls ended with. */
  aborts: string[];
}

/** Load the bundled model for a context, chat with it, abort, ask two things at once, and unload it. */
export async function visit({ contextLength, seed }: { contextLength: number; seed: number }): Promise<Visit> {
  const model = await loadModel("/models/hearth-tiny/", { contextLength });
  const first = await model.generate([{ role: "user", content: "Tell me a story about a fox." }], GREEDY);
  const aborts = [await abortAfter(model, seed % 7), await abortAfter(model, 0)];
  await Promise.all([seed, seed + 1].map((each) => model.generate("The bird", { maxTokens: 8, temperature: 1, seed: each })));
  const again = await model.generate([{ role: "user", content: "Tell me a story about a fox." }], GREEDY);
  if (again.text !== first.text) throw new Error(`expected the same answer twice, found "${first.text}" and "${again.text}"`);
  await model.unload();
  await everyWorkerEnds();
  return { text: again.text, tokensPerSecond: again.timing.decodeTokensPerSecond, aborts };
}

/** A living worker holds a lock: each must become free. */
async function everyWorkerEnds(): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const names = held.map(({ name = "" }) => name).filter((name) => name.startsWith("hearth-"));
  await Promise.all(names.map((name) => navigator.locks.request(name, { signal: AbortSignal.timeout(10_000) }, () => {})));
}

async function abortAfter(model: LanguageModel, tokens: number): Promise<string> {
  const controller = new AbortController();
  let count = 0;
  try {
    if (tokens === 0) controller.abort();
    for await (const _ of model.stream("Once upon a time", { maxTokens: 64, signal: controller.signal })) if (++count >= tokens) controller.abort();
    return "finished";
  } catch (error) {
    return (error as Error).name;
  }
}
