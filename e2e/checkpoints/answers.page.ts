// Runs in a page: whole answers through the public API, as a visitor's page would ask for them.
import { loadModel } from "../../src/index.ts";
import type { GenerateOptions, GenerationResult, LanguageModel, Prompt } from "../../src/index.ts";

/** One prompt and how to answer it. */
export interface Question {
  prompt: Prompt;
  options: GenerateOptions;
}

/** An answer with the tokens that were streamed. */
export interface Answer extends GenerationResult {
  tokenIds: number[];
}

/** What to ask of which model. */
export interface Request {
  source: string;
  questions: Question[];
}

const kept = new Map<string, Promise<LanguageModel>>();

/** Put questions, one after another, to a model that later calls find loaded. */
export async function ask({ source, questions }: Request): Promise<Answer[]> {
  const model = kept.get(source) ?? loadModel(source);
  kept.set(source, model);
  return answersOf(await model, questions);
}

/** Put questions to a model of their own. */
export async function askFresh({ source, questions }: Request): Promise<Answer[]> {
  await using model = await loadModel(source);
  return await answersOf(model, questions); // awaited here, or the model would be unloaded first
}

async function answersOf(model: LanguageModel, questions: readonly Question[]): Promise<Answer[]> {
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
