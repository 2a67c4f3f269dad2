// Runs in a page: whole answers through the public API, as a visitor's page would ask for them.
import { loadModel } from "../../src/index.ts";
import type { GenerateOptions, GenerationResult, LoadModelOptions, ModelSource, Prompt } from "../../src/index.ts";

/** One prompt and how to answer it. */
export interface Question {
  prompt: Prompt;
  options: GenerateOptions;
}

/** An answer with the tokens that were streamed. */
export interface Answer extends GenerationResult {
  tokenIds: number[];
}

/** Load a model and put questions to it one after another. */
export async function answer({ source, load, questions }: { source: ModelSource; load?: LoadModelOptions; questions: Question[] }): Promise<Answer[]> {
  await using model = await loadModel(source, load);
  const answers: Answer[] = [];
  for (const { prompt, options } of questions) {
    const stream = model.stream(prompt, options);
    const tokenIds: number[] = [];
    let step = await stream.next();
    for (; !step.done; step = await stream.next()) tokenIds.push(...step.value.tokenIds);
    answers.push({ ...step.value, tokenIds });
  }
  return answers;
}
