// Runs in a page: text files that never come to an end, behind the host that ends them.
import { HearthError } from "../../src/errors.ts";
import { loadModel, type ChatMessage, type LanguageModel } from "../../src/index.ts";
import { installErrorTransfer } from "../../src/worker/transfer.ts";
import { startText } from "../support/text_on_page.ts";
import { watchGaps } from "../support/thread_gaps.ts";
import { TEMPLATE_BOMBS } from "./hostile_bombs.ts";

const TINY = "/models/hearth-tiny/";
const MESSAGES: ChatMessage[] = [{ role: "user", content: "Hello" }];
const signal = new AbortController().signal;

/** How an attempt ended, and what it cost the page. */
export interface Ending {
  name: string;
  code: string | undefined;
  message: string;
  ms: number;
  /** The longest time in which the page ran no task of its own. */
  gapMs: number;
}

async function endingOf(name: string, attempt: () => Promise<unknown>): Promise<Ending> {
  const gaps = watchGaps();
  const start = performance.now();
  const error: unknown = await attempt().then(() => undefined, (reason: unknown) => reason);
  const ms = performance.now() - start;
  const code = error instanceof HearthError ? error.code : undefined;
  return { name, code, message: error instanceof Error ? error.message : "no failure", ms, gapMs: gaps.stop() };
}

/** Render each template bomb once, then encode with the same host, which has to be alive. */
export async function renderBombs(): Promise<(Ending & { tokensAfter: number })[]> {
  installErrorTransfer();
  const tokenizer = await (await fetch(`${TINY}tokenizer.json`)).blob();
  return twoAtATime(Object.entries(TEMPLATE_BOMBS), async ([name, jinjaFile]) => {
    const host = await startText({ tokenizer, jinjaFile });
    const ending = await endingOf(name, () => host.render(MESSAGES, { signal }));
    const tokensAfter = (await host.encode("Once upon a time", { addSpecialTokens: false, signal })).length;
    host.close();
    return { ...ending, tokensAfter };
  });
}

/** Most of the time is spent waiting for limits, which two can do at once without slowing each other much. */
async function twoAtATime<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items];
  const workThrough = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) results.push(await work(item));
  };
  await Promise.all([workThrough(), workThrough()]);
  return results;
}

/** A pattern that a tokenizer.json names, where it stands, and a text to run it over. */
export interface PatternBomb {
  pattern: string;
  step: "pre_tokenizer" | "normalizer" | "decoder" | "added token";
  text: string;
}

/** Load a small tokenizer with each pattern and encode with it; the time is what that takes more than a harmless pattern's load. */
export async function runPatterns(bombs: readonly PatternBomb[]): Promise<Ending[]> {
  installErrorTransfer();
  return twoAtATime(bombs, runPattern);
}

async function runPattern(bomb: PatternBomb): Promise<Ending> {
  const start = performance.now();
  (await startText({ tokenizer: tokenizerWith({ ...bomb, pattern: "x" }) })).close();
  const startMs = performance.now() - start; // of a worker, whose modules a development server sends one by one
  const ending = await endingOf(`${bomb.step} ${bomb.pattern}`, async () => {
    const host = await startText({ tokenizer: tokenizerWith(bomb) });
    try {
      await host.encode(bomb.text, { addSpecialTokens: false, signal });
    } finally {
      host.close();
    }
  });
  return { ...ending, ms: ending.ms - startMs };
}

function tokenizerWith({ pattern, step, text }: PatternBomb): Blob {
  const replace = { type: "Replace", pattern: { Regex: pattern }, content: "" };
  const inNormalizer = step === "normalizer" || step === "added token";
  const file = {
    model: { type: "BPE", vocab: { a: 0, b: 1, [text.slice(0, 200)]: 2 }, merges: [] },
    normalizer: inNormalizer ? replace : null,
    pre_tokenizer: step === "pre_tokenizer" ? { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false } : null,
    decoder: step === "decoder" ? replace : { type: "ByteLevel" },
    added_tokens: step === "added token" ? [{ id: 3, content: text, normalized: true }] : [],
  };
  return new Blob([JSON.stringify(file)]);
}

/** What reading text costs: loading a tokenizer, and rendering and encoding a short conversation. */
export interface TextCost {
  loadMs: number;
  gapMs: number;
  vocabSize: number;
  renderMs: number;
  encodeMs: number;
}

/** Load a tokenizer and template and use them, as the engine does. */
export async function measureText(folder: string): Promise<TextCost> {
  installErrorTransfer();
  const read = async (name: string) => (await fetch(`${folder}/${name}`)).blob();
  const files = { tokenizer: await read("tokenizer.json"), tokenizerConfig: await (await read("tokenizer_config.json")).text() };
  const gaps = watchGaps();
  const start = performance.now();
  const host = await startText(files);
  const loadMs = performance.now() - start;
  const gapMs = gaps.stop();
  await host.render(MESSAGES, { signal }); // the first rendering also compiles
  const prompt = await host.render(MESSAGES, { signal });
  const renderMs = await meanMs(() => host.render(MESSAGES, { signal }));
  const encodeMs = await meanMs(() => host.encode(prompt, { addSpecialTokens: false, signal }));
  host.close();
  return { loadMs, gapMs, vocabSize: host.table.ends.length, renderMs, encodeMs };
}

// Firefox tells the time in whole milliseconds, so one call says nothing.
async function meanMs(call: () => Promise<unknown>): Promise<number> {
  const calls = 100;
  const start = performance.now();
  for (let i = 0; i < calls; i++) await call();
  return (performance.now() - start) / calls;
}

/** Answer, set off the bombs of a template, and answer again, all with one loaded model. */
export async function answerAroundBombs(jinjaFile: string): Promise<{ before: string; after: string; endings: Ending[]; aborted: Ending }> {
  const names = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
  const files = await Promise.all(names.map(async (name) => new File([await (await fetch(TINY + name)).blob()], name)));
  await using model = await loadModel([...files, new File([jinjaFile], "chat_template.jinja")]);
  const before = await answer(model);
  const endings = [];
  for (const bomb of [1, 2]) endings.push(await endingOf(`bomb ${bomb}`, () => model.generate(MESSAGES, { templateOptions: { bomb } })));
  const stop = new AbortController();
  const aborted = await endingOf("aborted", () => {
    setTimeout(() => stop.abort(), 100);
    return model.generate(MESSAGES, { templateOptions: { bomb: 1 }, signal: stop.signal });
  });
  return { before, endings, aborted, after: await answer(model) };
}

async function answer(model: LanguageModel): Promise<string> {
  return (await model.generate(MESSAGES, { maxTokens: 8, temperature: 0 })).text;
}
