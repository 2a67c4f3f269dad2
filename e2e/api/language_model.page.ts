// Runs in a page: the public API as a user would call it. Every function loads, and returns plain data.
import { HearthError, loadModel, storedModels } from "../../src/index.ts";
import type { GenerateOptions, LanguageModel, LoadProgress, Prompt, SamplingOptions } from "../../src/index.ts";

const BUNDLED = "/models/hearth-tiny/";
const PROMPT = "Once upon a time";

/** An error as the spec sees it. */
export interface Failure {
  isHearthError: boolean;
  name: string;
  code?: string;
  message: string;
}

const describe = (error: unknown): Failure => ({
  isHearthError: error instanceof HearthError,
  name: (error as Error).name,
  code: error instanceof HearthError ? error.code : undefined,
  message: (error as Error).message,
});

async function failureOf(promise: Promise<unknown>): Promise<Failure | "no failure"> {
  return promise.then(() => "no failure" as const, describe);
}

let shared: Promise<LanguageModel> | undefined;

/** The model of the tests that only ask: loading one takes longer than they do. */
function sharedModel(): Promise<LanguageModel> {
  return (shared ??= loadModel(BUNDLED));
}

async function readAll(model: LanguageModel, prompt: Prompt, options: GenerateOptions) {
  const chunks = [];
  const stream = model.stream(prompt, options);
  for (;;) {
    const step = await stream.next();
    if (step.done) return { chunks, result: step.value };
    chunks.push(step.value);
  }
}

/** Load with a progress listener. */
export async function loadWithProgress(source = BUNDLED) {
  const steps: LoadProgress[] = [];
  const model = await loadModel(source, { onProgress: (progress) => steps.push(progress) });
  const stepsWhenLoaded = steps.length;
  await model.unload();
  return { steps, stepsWhenLoaded, info: model.info };
}

/** Stream an answer, then ask for it as a whole, and count the prompt. */
export async function streamAndGenerate() {
  const model = await sharedModel();
  const { chunks, result } = await readAll(model, PROMPT, { maxTokens: 24 });
  const again = await model.generate(PROMPT, { maxTokens: 24 });
  return { chunks, result, again, promptTokens: await model.countTokens(PROMPT), template: await model.countTokens([{ role: "user", content: PROMPT }]) };
}

/** Sample with seeds. */
export async function sampleWithSeeds(seeds: number[]) {
  const model = await sharedModel();
  const texts = [];
  for (const seed of seeds) texts.push((await model.generate(PROMPT, { maxTokens: 16, temperature: 1, seed })).text);
  return texts;
}

/** Generate greedily, then again with a stop string found in that text. */
export async function stopAtString(stop: string) {
  const model = await sharedModel();
  const whole = await model.generate(PROMPT, { maxTokens: 40 });
  const { chunks, result } = await readAll(model, PROMPT, { maxTokens: 40, stop });
  return { whole, result, shown: chunks.map(({ text }) => text).join("") };
}

/** Abort one answer, leave another, then ask once more. */
export async function abortAndGoOn() {
  const model = await sharedModel();
  const before = await model.generate(PROMPT, { maxTokens: 12 });
  const controller = new AbortController();
  const aborted = await failureOf(
    (async () => {
      for await (const _chunk of model.stream(PROMPT, { signal: controller.signal })) controller.abort();
    })(),
  );
  for await (const _chunk of model.stream(PROMPT)) break;
  const alreadyAborted = await failureOf(model.generate(PROMPT, { signal: AbortSignal.abort() }));
  const after = await model.generate(PROMPT, { maxTokens: 12 });
  return { before: before.text, after: after.text, aborted, alreadyAborted };
}

/** Ask three at once, and give up the second. */
export async function askAtOnce() {
  const model = await sharedModel();
  const alone = await model.generate(PROMPT, { maxTokens: 12 });
  const ended: string[] = [];
  const giveUp = new AbortController();
  const ask = async (name: string, signal?: AbortSignal) => {
    const outcome = await model.generate(PROMPT, { maxTokens: 12, signal }).catch(describe);
    ended.push(name);
    return "text" in outcome ? outcome.text : outcome.name;
  };
  const asked = [ask("first"), ask("second", giveUp.signal), ask("third")];
  giveUp.abort();
  return { alone: alone.text, answers: await Promise.all(asked), ended };
}

/** Call with options that do not exist, or make no sense. */
export async function passWrongOptions() {
  const wrong = (options: Record<string, unknown>) => options as GenerateOptions; // wrong on purpose
  const model = await sharedModel();
  return {
    load: await failureOf(loadModel(BUNDLED, { contextlength: 5 } as object)),
    quantize: await failureOf(loadModel(BUNDLED, { quantize: "q3" } as object)),
    budget: await failureOf(loadModel(BUNDLED, { storageBudget: -1 })),
    budgetOfNothing: await failureOf(loadModel(BUNDLED, { storageBudget: 1e9, store: "none" })),
    trim: await failureOf(storedModels.trim(NaN)),
    tune: await failureOf(loadModel(BUNDLED, { tune: "no" } as object)),
    generate: await failureOf(model.generate(PROMPT, wrong({ temprature: 1, maxTokens: 1 }))),
    range: await failureOf(model.generate(PROMPT, { temperature: -1 })),
    notPlain: await failureOf(model.generate(PROMPT, { templateOptions: { render: () => "" } })),
    stillWorks: (await model.generate(PROMPT, { maxTokens: 1 })).usage.completionTokens,
  };
}

/** Unload with an answer under way, then call everything. */
export async function unloadAndCall() {
  const model = await loadModel(BUNDLED);
  const underWay = failureOf(model.generate(PROMPT));
  const waiting = failureOf(model.generate(PROMPT));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await Promise.all([model.unload(), model.unload()]);
  return {
    underWay: await underWay,
    waiting: await waiting,
    generate: await failureOf(model.generate(PROMPT)),
    countTokens: await failureOf(model.countTokens(PROMPT)),
    logits: await failureOf(model.logits([1])),
    benchmark: await failureOf(model.benchmark()),
  };
}

/** Measure greedy decoding, and drawing tokens; and an option of sampling that nothing would read. */
export async function benchmarkSampling() {
  const model = await sharedModel();
  const measure = async (sampling?: SamplingOptions) => model.benchmark({ promptTokens: 4, maxTokens: 3, sampling });
  const [greedy, drawn] = [await measure(), await measure({ temperature: 1, topK: 20, topP: 0.9 })];
  return { more: drawn.dispatchesPerToken - greedy.dispatchesPerToken, completionTokens: drawn.completionTokens, unknown: await failureOf(measure({ top_k: 20 } as SamplingOptions)) };
}

/** Abort a load at its first sign of life, then load in earnest. */
export async function abortLoad() {
  const controller = new AbortController();
  const aborted = await failureOf(loadModel(BUNDLED, { signal: controller.signal, onProgress: () => controller.abort() }));
  const { text } = await (await sharedModel()).generate(PROMPT, { maxTokens: 4 });
  return { aborted, text };
}

/** End the worker from outside, with calls pending. */
export async function killWorker() {
  const workers: Worker[] = [];
  const RealWorker = window.Worker;
  window.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.push(this);
    }
  };
  const model = await loadModel(BUNDLED);
  window.Worker = RealWorker;
  const pending = [failureOf(model.generate(PROMPT)), failureOf(model.logits([1, 2]))];
  await new Promise((resolve) => setTimeout(resolve, 100));
  const killed = performance.now();
  workers[0].terminate();
  const failures = await Promise.all(pending);
  const settledAfterMs = performance.now() - killed;
  const later = await model.generate(PROMPT, { maxTokens: 2 });
  await model.unload();
  return { failures, later: later.usage.completionTokens, afterUnload: await failureOf(model.countTokens(PROMPT)), settledAfterMs };
}

/** The logits of some tokens: their count, and the best id after each. */
export async function bestIds(tokenIds: number[]) {
  const model = await sharedModel();
  const logits = await model.logits(tokenIds);
  const { vocabSize } = model.info;
  const rows = tokenIds.map((_, row) => logits.subarray(row * vocabSize, (row + 1) * vocabSize));
  return { length: logits.length, vocabSize, best: rows.map((row) => row.indexOf(Math.max(...row))) };
}

/** Load something, and tell how that failed. */
export async function failToLoad(source: string) {
  return failureOf(loadModel(source));
}

/** The stored models, after removing some of them. */
export async function removeStored(ids: string[]) {
  const before = await storedModels.list();
  for (const id of ids) await storedModels.remove(id);
  return { before, after: await storedModels.list() };
}

/** Export a stored model, remove it, and import it. */
export async function exportAndImport(id: string) {
  const archive = await new Response(await storedModels.export(id)).blob();
  await storedModels.remove(id);
  const removed = await storedModels.list();
  return { exportedBytes: archive.size, removed, id: await storedModels.import(archive), stored: await storedModels.list() };
}
