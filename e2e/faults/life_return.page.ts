// Runs in a page that a visitor leaves and comes back to, with workers as the library starts them.
import { loadModel, type GenerateOptions, type LanguageModel } from "../../src/index.ts";
import { beginFrozenAnswer, type FrozenAnswer } from "./frozen_answer.ts";

const PROMPT = "Once upon a time";

let model: LanguageModel;
let answer: FrozenAnswer;

/** Load the bundled model, and begin an answer that goes on for some seconds. */
export async function begin(options: GenerateOptions): Promise<void> {
  model = await loadModel("/models/hearth-tiny/");
  answer = await beginFrozenAnswer(model, PROMPT, options);
}

/** The rest of that answer, and an answer that nothing interrupted. */
export async function end(options: GenerateOptions) {
  const rest = await soon(answer.end(), "the rest of the answer");
  const { text: expected } = await soon(model.generate(PROMPT, options), "another answer");
  return { ...rest, expected };
}

const ANSWER_MS = 50_000; // many times what an answer takes

/** Fail, with what was waited for, where nothing else would ever end. */
function soon<T>(work: Promise<T>, name: string): Promise<T> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`${name} did not come in ${ANSWER_MS / 1000} s`)), ANSWER_MS));
  return Promise.race([work, late]);
}
