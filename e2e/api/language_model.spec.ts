import { readFileSync } from "node:fs";

import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";
import type { Failure } from "./language_model.page.ts";

type PageModule = typeof import("./language_model.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/api/language_model.page.ts";
const golden = JSON.parse(readFileSync(new URL("../goldens/hearth-tiny.json", import.meta.url), "utf8")) as {
  tokens: number[];
  positions: { top: [number, number][] }[];
};

const hearthError = (code: string, message: RegExp) => ({
  isHearthError: true,
  name: "HearthError",
  code,
  message: expect.stringMatching(message),
});
test.describe.configure({ mode: "default" }); // one loaded model for the tests that only ask

const abortError: Partial<Failure> = { isHearthError: false, name: "AbortError" };

test("loading tells its progress, and the model what it is", async ({ harness }) => {
  const { steps, stepsWhenLoaded, info } = await harness.run<Outcome<"loadWithProgress">>(PAGE, "loadWithProgress");
  const phases = steps.map(({ phase }) => phase);
  expect([...new Set(phases)]).toEqual(["config", "weights", "ready"]);
  expect(phases).toEqual([...phases].sort((a, b) => "cwr".indexOf(a[0]) - "cwr".indexOf(b[0])));
  expect(steps.length).toBe(stepsWhenLoaded);
  const weights = steps.filter(({ phase }) => phase === "weights");
  expect(weights.at(-1)?.loadedBytes).toBe(weights.at(-1)?.totalBytes);
  expect(info).toMatchObject({ modelType: "qwen3", vocabSize: 7168, layers: 8, hasChatTemplate: true, quantize: "none", schedule: { workgroup: 4, origin: "usual" } });
  expect(info.contextLength).toBeGreaterThan(0);
});

test("a load can be aborted, and the next one succeeds", async ({ sharedHarness }) => {
  const { aborted, text } = await sharedHarness.run<Outcome<"abortLoad">>(PAGE, "abortLoad");
  expect(aborted).toMatchObject(abortError);
  expect(text).not.toBe("");
});

test("the streamed text is the whole text, and greedy answers repeat", async ({ sharedHarness }) => {
  const { chunks, result, again, promptTokens, template } = await sharedHarness.run<Outcome<"streamAndGenerate">>(PAGE, "streamAndGenerate");
  expect(chunks.map(({ text }) => text).join("")).toBe(result.text);
  expect(chunks.flatMap(({ tokenIds }) => tokenIds)).toHaveLength(result.usage.completionTokens);
  expect(result.text.length).toBeGreaterThan(20);
  expect(again.text).toBe(result.text);
  expect(result).toMatchObject({ finishReason: "length", usage: { promptTokens, completionTokens: 24 } });
  expect(template).toBeGreaterThan(promptTokens);
  expect(result.timing.totalMs).toBeGreaterThanOrEqual(result.timing.timeToFirstTokenMs);
});

test("a seed fixes the text, and another seed changes it", async ({ sharedHarness }) => {
  const [first, same, other] = await sharedHarness.run<Outcome<"sampleWithSeeds">>(PAGE, "sampleWithSeeds", [1, 1, 2]);
  expect(same).toBe(first);
  expect(other).not.toBe(first);
});

test("the answer ends before a stop string", async ({ sharedHarness }) => {
  const { whole, result, shown } = await sharedHarness.run<Outcome<"stopAtString">>(PAGE, "stopAtString", "named");
  expect(whole.text).toContain("named");
  expect(result.text).toBe(whole.text.slice(0, whole.text.indexOf("named")));
  expect(shown).toBe(result.text);
  expect(result.finishReason).toBe("stop");
});

test("an abort, or leaving the loop, stops one answer and spoils no other", async ({ sharedHarness }) => {
  const { before, after, aborted, alreadyAborted } = await sharedHarness.run<Outcome<"abortAndGoOn">>(PAGE, "abortAndGoOn");
  expect(aborted).toMatchObject(abortError);
  expect(alreadyAborted).toMatchObject(abortError);
  expect(after).toBe(before);
});

test("calls made at once are answered in order, and one may give up", async ({ sharedHarness }) => {
  const { alone, answers, ended } = await sharedHarness.run<Outcome<"askAtOnce">>(PAGE, "askAtOnce");
  expect(answers).toEqual([alone, "AbortError", alone]);
  expect(ended).toEqual(["second", "first", "third"]);
});

test("options that do not exist are refused by name", async ({ sharedHarness }) => {
  const failures = await sharedHarness.run<Outcome<"passWrongOptions">>(PAGE, "passWrongOptions");
  expect(failures).toEqual({
    load: hearthError("invalid-options", /unknown option contextlength.*contextLength/),
    quantize: hearthError("invalid-options", /quantize/),
    budget: hearthError("invalid-options", /storageBudget: expected the number of bytes.*found -1/),
    budgetOfNothing: hearthError("invalid-options", /storageBudget: .*store: "none", which stores nothing/),
    trim: hearthError("invalid-options", /storedModels\.trim: .*found NaN/),
    tune: hearthError("invalid-options", /tune: expected true or false/),
    generate: hearthError("invalid-options", /unknown option temprature.*temperature/),
    range: hearthError("invalid-options", /temperature/),
    notPlain: hearthError("invalid-options", /plain data/),
    stillWorks: 1,
  });
});

test("unloading settles what runs and waits, and refuses what comes later", async ({ harness }) => {
  const failures = await harness.run<Outcome<"unloadAndCall">>(PAGE, "unloadAndCall");
  const unloaded = hearthError("unloaded", /Load it again/);
  expect(failures).toEqual({
    underWay: unloaded,
    waiting: unloaded,
    generate: unloaded,
    countTokens: unloaded,
    logits: unloaded,
    benchmark: unloaded,
  });
});

test("promise 41: every call settles when the worker dies, and the next one finds another worker", async ({ harness }) => {
  const { failures, later, afterUnload, settledAfterMs } = await harness.run<Outcome<"killWorker">>(PAGE, "killWorker");
  const failed = hearthError("worker-failed", /Load the model again/);
  expect(failures).toEqual([failed, failed]);
  expect(later).toBe(2);
  expect(afterUnload).toEqual(hearthError("unloaded", /Load it again/));
  measured(`pending calls settled ${Math.round(settledAfterMs)} ms after the worker's end`);
  expect(settledAfterMs).toBeLessThan(5000);
});

test("logits come with one row per token, and their best ids are the reference's", async ({ sharedHarness }) => {
  const tokens = golden.tokens.slice(0, 8);
  const { length, vocabSize, best } = await sharedHarness.run<Outcome<"bestIds">>(PAGE, "bestIds", tokens);
  expect(length).toBe(tokens.length * vocabSize);
  expect(best).toEqual(golden.positions.slice(0, tokens.length).map(({ top }) => top[0][0]));
});

test("a benchmark draws tokens when asked to, by two dispatches more, and knows the options of sampling", async ({ sharedHarness }) => {
  const { more, completionTokens, unknown } = await sharedHarness.run<Outcome<"benchmarkSampling">>(PAGE, "benchmarkSampling");
  expect({ more, completionTokens }).toEqual({ more: 2, completionTokens: 3 });
  expect(unknown).toEqual(hearthError("invalid-options", /sampling: unknown option "top_k"/));
});

test.describe("a checkpoint that is not there", () => {
  test.use({ expectedErrors: [/404/] }); // the browser's own report of the missing file

  test("is an error that names the file", async ({ harness }) => {
    const failure = await harness.run<Outcome<"failToLoad">>(PAGE, "failToLoad", "/models/none/");
    expect(failure).toEqual(hearthError("file-not-found", /config\.json/));
  });
});
