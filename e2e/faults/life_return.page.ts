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
  return { ...(await answer.end()), expected: (await model.generate(PROMPT, options)).text };
}
