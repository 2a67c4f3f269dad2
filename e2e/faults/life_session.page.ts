// Runs in a page: one loaded model through everything a page may do to it. Loading takes longest, so the tests share it.
import { HearthError, loadModel, type GenerateOptions, type LanguageModel } from "../../src/index.ts";
import { withFaultyWorkers, type FaultSwitch } from "./faulty_workers.ts";
import { beginFrozenAnswer, type FrozenAnswer } from "./frozen_answer.ts";

const PROMPT = "Once upon a time";
const LONG_PROMPT = "The fox ran to the tree and looked for a ball. ".repeat(12); // several chunks of prefill
const GREEDY: GenerateOptions = { maxTokens: 3 };

let opened: Promise<void> | undefined;
let model: LanguageModel;
let faults: FaultSwitch;
let reference: string;

/** Load the bundled model, once, and let it answer. */
export function open(): Promise<void> {
  opened ??= new Promise<void>((resolve, reject) => {
    // The workers stay breakable for as long as the page lives.
    withFaultyWorkers(async (ownFaults) => {
      faults = ownFaults;
      model = await loadModel("/models/hearth-tiny/");
      reference = (await model.generate(PROMPT, GREEDY)).text;
      resolve();
      await new Promise(() => {});
    }).catch(reject);
  });
  return opened;
}

/** Abort answers at spread-out times, in prefill and in decode. */
export async function abortOften(times: number) {
  const stepMs = await medianStep();
  const rejectedMs: number[] = [];
  const freeMs: number[] = [];
  const outcomes = new Set<string>();
  for (let i = 0; i < times; i++) {
    const controller = new AbortController();
    const answer = model.generate(i % 2 === 0 ? LONG_PROMPT + i : PROMPT, { signal: controller.signal }).then(() => "finished", (error: unknown) => String((error as Error).name));
    await new Promise((resolve) => setTimeout(resolve, (i * 37) % 211));
    const aborted = performance.now();
    controller.abort();
    outcomes.add(await answer);
    rejectedMs.push(performance.now() - aborted);
    // The next call has its turn once the engine has let go of this one; this one is refused as soon as it has it.
    await model.generate(PROMPT, { maxTokens: 1 });
    freeMs.push(performance.now() - aborted);
  }
  const first = performance.now();
  await model.generate(PROMPT, { maxTokens: 1 });
  const undisturbedMs = performance.now() - first;
  return { stepMs, outcomes: [...outcomes], rejectedMs, freeMs, undisturbedMs, after: (await model.generate(PROMPT, GREEDY)).text, reference };
}

async function medianStep(): Promise<number> {
  const { timing } = await model.generate(PROMPT, { maxTokens: 33 });
  return 1000 / timing.decodeTokensPerSecond;
}

/** Make many calls at once, and give up some of those that wait. */
export async function callOften(calls: number) {
  const givenUp = [3, 20];
  const order: number[] = [];
  const asked = Array.from({ length: calls }, async (_, i) => {
    const controller = new AbortController();
    const answer = model.generate(PROMPT, { ...GREEDY, signal: controller.signal });
    if (givenUp.includes(i)) setTimeout(() => controller.abort(), 0);
    try {
      const { text } = await answer;
      order.push(i);
      return text === reference ? "right" : `wrong: ${text}`;
    } catch (error) {
      return error instanceof HearthError ? `${error.code}${error.retryable ? ", retryable" : ""}` : String((error as Error).name);
    }
  });
  return { outcomes: await Promise.all(asked), order };
}

/** Generate many short answers; buffers alive on the GPU before and after. */
export async function generateOften({ times, maxTokens }: { times: number; maxTokens: number }) {
  await model.generate(PROMPT, { maxTokens: 4 });
  const before = (await faults.record()).liveBuffers;
  for (let i = 0; i < times; i++) await model.generate(PROMPT, { maxTokens, temperature: 1, seed: i });
  return { before, after: (await faults.record()).liveBuffers };
}

let frozen: FrozenAnswer | undefined;

/** Begin an answer that goes on for some seconds; resolves once it has begun. */
export async function beginAnswer(options: GenerateOptions): Promise<void> {
  frozen = await beginFrozenAnswer(model, PROMPT, options);
}

/** The rest of that answer, and an answer that nothing interrupted. */
export async function endAnswer(options: GenerateOptions) {
  return { ...(await frozen!.end()), expected: (await model.generate(PROMPT, options)).text }; // it was begun
}
