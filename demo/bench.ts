import { loadModel, storedModels } from "../src/index.ts";
import type { BenchmarkReport, LanguageModel, ModelInfo } from "../src/index.ts";
import { resultsView } from "./bench_view.ts";
import { BUNDLED_MODEL } from "./bundled_model.ts";
import { isBundled, sourceName } from "./catalogue.ts";
import { byId, create } from "./dom.ts";
import { formatBytes } from "./format.ts";
import { describeLoadProblem, describeProblem, isMissingWebGpu } from "./problem.ts";
import type { Problem } from "./problem.ts";
import { noWebGpuView, problemView } from "./problem_view.ts";

const SYNTHETIC: readonly [id: string, words: string][] = [
  ["synthetic:qwen3-0.6b", "Qwen3 0.6B"],
  ["synthetic:llama-3.2-1b", "Llama 3.2 1B"],
  ["synthetic:llama-3.1-8b", "Llama 3.1 8B"],
];

const choice = byId("model", HTMLSelectElement);
const start = byId("start", HTMLButtonElement);
const stop = byId("stop", HTMLButtonElement);
const results = byId("results", HTMLElement);
const problem = byId("problem", HTMLElement);

let running: AbortController | undefined;

async function listModels(): Promise<void> {
  const own = group("On this device", [option(BUNDLED_MODEL, "Hearth Tiny")]);
  choice.replaceChildren(own, group("Random weights, nothing to download", SYNTHETIC.map(([id, words]) => option(id, words))));
  try {
    const stored = (await storedModels.list()).filter(({ id, complete }) => complete && !isBundled(id));
    own.append(...stored.map(({ id }) => option(id, sourceName(id))));
  } catch (error) {
    console.warn("What this browser keeps could not be listed.", error);
  }
  const asked = new URLSearchParams(location.search).get("model");
  const found = [...choice.options].find(({ value }) => value === asked);
  if (found) choice.value = found.value;
}

function group(label: string, options: HTMLElement[]): HTMLElement {
  const element = create("optgroup", "", ...options);
  element.label = label;
  return element;
}

function option(value: string, words: string): HTMLOptionElement {
  const element = create("option", "", words);
  element.value = value;
  return element;
}

async function measure(): Promise<void> {
  const aborter = new AbortController();
  running = aborter;
  showRunning();
  results.hidden = true;
  problem.replaceChildren();
  let model: LanguageModel | undefined;
  try {
    model = await load(choice.value, aborter.signal);
    await runAll(model, aborter.signal);
  } catch (error) {
    if (aborter.signal.aborted) say("Stopped.");
    else showProblem(error, model ? describeProblem(error) : describeLoadProblem(error));
  } finally {
    await model?.unload();
    running = undefined;
    showRunning();
  }
}

function load(source: string, signal: AbortSignal): Promise<LanguageModel> {
  say("Loading the model.");
  return loadModel(source, {
    signal,
    onProgress: ({ phase, loadedBytes, totalBytes }) => {
      if (phase === "weights" && totalBytes > 0) byId("progress", HTMLElement).textContent = `${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)}`;
    },
  });
}

async function runAll(model: LanguageModel, signal: AbortSignal): Promise<void> {
  const runs = byId("runs", HTMLInputElement).valueAsNumber;
  const options = { promptTokens: byId("prompt-tokens", HTMLInputElement).valueAsNumber, maxTokens: byId("max-tokens", HTMLInputElement).valueAsNumber };
  const reports: BenchmarkReport[] = [];
  while (reports.length < runs) {
    say(`Run ${reports.length + 1} of ${runs}.`);
    const kernels = byId("kernels", HTMLInputElement).checked && reports.length === runs - 1; // once is enough
    reports.push(await model.benchmark({ ...options, kernels, signal }));
    show(model.info, [...reports]);
  }
  say("Done.");
}

function show(info: ModelInfo, reports: readonly BenchmarkReport[]): void {
  results.replaceChildren(...resultsView(info, reports, () => void copy(info, reports)));
  results.hidden = false;
}

async function copy(info: ModelInfo, reports: readonly BenchmarkReport[]): Promise<void> {
  const everything = { date: new Date().toISOString(), browser: navigator.userAgent, info, reports };
  try {
    await navigator.clipboard.writeText(JSON.stringify(everything, null, 1));
    say("Copied.");
  } catch {
    say("The browser refused to copy.");
  }
}

function showProblem(error: unknown, described: Problem): void {
  say("");
  if (isMissingWebGpu(error)) {
    problem.replaceChildren(create("div", "notice-card", ...noWebGpuView(described.detail, () => void measure())));
    return;
  }
  problem.replaceChildren(problemView({ ...described, remedies: ["retry"] }, () => void measure()));
}

function showRunning(): void {
  const isRunning = running !== undefined;
  start.disabled = isRunning;
  stop.hidden = !isRunning;
  byId("progress", HTMLElement).textContent = "";
  document.body.dataset["busy"] = isRunning ? "answering" : "idle";
}

function say(text: string): void {
  byId("status", HTMLElement).textContent = text;
}

byId("bench-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) void measure();
});
stop.addEventListener("click", () => running?.abort());
void listModels();
