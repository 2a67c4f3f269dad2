// Runs in a page: answers of the bundled model while its device goes away.
import { HearthError, loadModel, type GenerateOptions, type LanguageModel } from "../../src/index.ts";
import { withFaultyWorkers, type FaultSwitch } from "./faulty_workers.ts";
import type { GpuFault } from "./gpu_faults.ts";

const BUNDLED = "/models/hearth-tiny/";
const PROMPT = "Once upon a time";
const GREEDY: GenerateOptions = { maxTokens: 40 };
const SAMPLED: GenerateOptions = { maxTokens: 40, temperature: 1, topK: 40, seed: 7, presencePenalty: 0.5, frequencyPenalty: 0.3 };
const COOL_DOWN_MS = 121_000;

/** An answer that was interrupted, beside one that was not. */
export interface Interrupted {
  when: string;
  text: string;
  expected: string;
  /** Whether the streamed chunks were the whole text. */
  streamedWhole: boolean;
  devicesOpened: number;
  fetches: number;
  /** From the loss, or from the call where there was none before it, to the end of the answer; less the time of an answer without a loss. */
  extraMs: number;
}

interface Timed {
  text: string;
  streamed: string;
  ms: number;
}

async function answer(model: LanguageModel, options: GenerateOptions): Promise<Timed> {
  const started = performance.now();
  let streamed = "";
  const stream = model.stream(PROMPT, options);
  for (;;) {
    const step = await stream.next();
    if (step.done) return { text: step.value.text, streamed, ms: performance.now() - started };
    streamed += step.value.text;
  }
}

async function interrupted(model: LanguageModel, faults: FaultSwitch, fault: GpuFault, options: GenerateOptions, whole: Timed): Promise<Interrupted> {
  await faults.advance(COOL_DOWN_MS);
  await faults.arm(fault);
  const { text, streamed, ms } = await answer(model, options);
  const { devicesOpened, fetches } = await faults.record();
  return { when: `${fault.label ?? "idle"} ${fault.count ?? ""}`, text, expected: whole.text, streamedWhole: streamed === text, devicesOpened, fetches, extraMs: ms - whole.ms };
}

/** Lose the device in every phase of an answer, and while nothing runs. */
export async function loseDeviceEverywhere() {
  return withFaultyWorkers(async (faults) => {
    const started = performance.now();
    await using model = await loadModel(BUNDLED);
    const loadMs = performance.now() - started;
    const greedy = await answer(model, GREEDY);
    const sampled = await answer(model, SAMPLED);
    const runs: Interrupted[] = [];
    runs.push(await interrupted(model, faults, { action: "lose", label: "prefill" }, GREEDY, greedy));
    runs.push(await interrupted(model, faults, { action: "lose", label: "decode", count: 7 }, GREEDY, greedy));
    runs.push(await interrupted(model, faults, { action: "lose", label: "decode", count: 20 }, SAMPLED, sampled));
    runs.push(await interrupted(model, faults, { action: "lose" }, GREEDY, greedy));
    return { loadMs, runs };
  });
}

/** Lose the device while the weights move. */
export async function loseDeviceInUpload() {
  return withFaultyWorkers(async (faults) => {
    const first = await loadModel(BUNDLED);
    const whole = await answer(first, GREEDY);
    await first.unload();
    faults.armNext({ action: "lose", label: "repack", count: 5 });
    await using model = await loadModel(BUNDLED);
    const { devicesOpened } = await faults.record();
    const { text } = await answer(model, GREEDY);
    return { text, expected: whole.text, devicesOpened };
  });
}

/** Lose the device of a model that is not stored, after telling its server to spoil what comes next. */
export async function loseDeviceUnstored(source: string) {
  return withFaultyWorkers(async (faults) => {
    await using model = await loadModel(source, { store: "none" });
    const whole = await answer(model, GREEDY);
    await fetch(`${source}spoil`);
    await faults.arm({ action: "lose" });
    const { text } = await answer(model, GREEDY);
    return { text, expected: whole.text, devicesOpened: (await faults.record()).devicesOpened };
  });
}

/** Lose the device twice within two minutes, then ask once more. */
export async function loseDeviceTwice() {
  return withFaultyWorkers(async (faults) => {
    await using model = await loadModel(BUNDLED);
    const whole = await answer(model, GREEDY);
    await faults.arm({ action: "lose", label: "decode", count: 7 });
    const once = await answer(model, GREEDY);
    await faults.arm({ action: "lose", label: "decode", count: 7 });
    const started = performance.now();
    const failure = describe(await answer(model, GREEDY).catch((error: unknown) => error));
    const failedAfterMs = performance.now() - started;
    const { devicesOpened } = await faults.record();
    const again = await answer(model, GREEDY);
    return { texts: [once.text, again.text], expected: whole.text, failure, failedAfterMs, devicesOpened };
  });
}

/** Make the device report an error in the middle of an answer, then ask again. */
export async function reportError() {
  return withFaultyWorkers(async (faults) => {
    await using model = await loadModel(BUNDLED);
    const whole = await answer(model, GREEDY);
    await faults.arm({ action: "error", label: "decode", count: 7 });
    let tokens = 0;
    const stream = async () => {
      for await (const { tokenIds } of model.stream(PROMPT, GREEDY)) tokens += tokenIds.length;
    };
    const failure = describe(await stream().catch((error: unknown) => error));
    const again = await answer(model, GREEDY);
    return { failure, tokens, text: again.text, expected: whole.text };
  });
}

function describe(thrown: unknown) {
  if (!(thrown instanceof HearthError)) return { name: String(thrown) };
  return { name: thrown.name, code: thrown.code, retryable: thrown.retryable, message: thrown.message };
}
