// npm run bench: prefill and decode speed of a model, or of all published shapes, in a headless browser on this machine's GPU.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { medianReport } from "./driver/bench_runs.mjs";
import { benchTable } from "./driver/bench_table.mjs";
import { fail, given, readOptions } from "./driver/options.mjs";
import { runDriver, withModel, withPage } from "./driver/session.mjs";

const PUBLISHED = ["synthetic:llama-3.2-1b", "synthetic:qwen3-0.6b", "synthetic:llama-3.1-8b"];
const PUBLISHED_RUNS = PUBLISHED.map((model) => ({ model, load: { contextLength: 8704 }, lengths: [512, 1024, 8192] }));
const BUNDLED_RUN = { model: "/models/hearth-tiny/", load: {}, lengths: [256] };
const DECODED = 256; // tokens, of each run of --all
const RUNS = 3;

const options = readOptions({
  usage: "npm run bench -- [options]",
  positionals: 0,
  options: {
    "prompt-tokens": { type: "number", help: "tokens of prompt to prefill" },
    "max-tokens": { type: "number", help: "tokens to decode" },
    runs: { type: "number", help: `how often to measure, of which the median counts (${RUNS})` },
    temperature: { type: "number", help: "draw tokens at this temperature instead of taking the best" },
    "top-k": { type: "number", help: "of the so many best only" },
    "top-p": { type: "number", help: "of the best that have this share of the probability only" },
    kernels: { type: "boolean", help: "also time each kind of kernel by itself, in the last run" },
    "prefill-bits": { type: "number", help: "as the option prefillBits of loadModel: 16 or 8" },
    "kv-cache": { type: "string", value: "f16|int8|f32", help: "as the option kvCache of loadModel" },
    "no-tune": { type: "boolean", help: "leave the schedule as usual, unmeasured" },
    all: { type: "boolean", help: "measure every published shape at several lengths instead, and the bundled model, as in bench/results; on a processor that plays a GPU, only the bundled model" },
    library: { type: "string", value: "DIR", help: "use the library that was built there (dist) instead of the sources" },
    json: { type: "boolean", help: "print one JSON line instead of a table" },
  },
});
const { browser, library, kernels, runs: count = RUNS } = options;
if (!(Number.isInteger(count) && count > 0)) fail(`--runs: expected a whole number from 1 on, found ${count}`);
if (library && !existsSync(join(library, "hearth.js"))) fail(`--library: expected a folder with hearth.js, found none in ${library}; npm run build makes one in dist`);
const sampling = given({ temperature: options.temperature, topK: options["top-k"], topP: options["top-p"] });
const loadOptions = {
  ...(options["no-tune"] ? { tune: false } : {}),
  ...(options["prefill-bits"] ? { prefillBits: options["prefill-bits"] } : {}),
  ...(options["kv-cache"] ? { kvCache: options["kv-cache"] } : {}),
};

await runDriver(() => (options.all ? measureAll() : measureOne()));

async function measureOne() {
  await withModel({ model: options.model, browser, library, loadOptions }, async ({ call, info }) => {
    const report = await measure(call, { promptTokens: options["prompt-tokens"], maxTokens: options["max-tokens"] });
    console.log(options.json ? JSON.stringify({ ...report, info }) : benchTable(report, info, options.model));
  });
}

/** Measure as often as asked; kernels once, in the last run. */
async function measure(call, asked) {
  const run = { ...given(asked), sampling };
  const reports = [];
  while (reports.length < count) reports.push(await call("benchmark", kernels && reports.length === count - 1 ? { ...run, kernels } : run));
  return medianReport(reports);
}

async function measureAll() {
  await withPage({ browser, library }, async ({ call, version }) => {
    const bundled = await measureShape(call, BUNDLED_RUN);
    const isSoftware = bundled.some(({ adapter }) => adapter?.isSoftware); // the published shapes would take it hours
    const runs = [];
    for (const each of isSoftware ? [] : PUBLISHED_RUNS) runs.push(...(await measureShape(call, each)));
    runs.push(...bundled);
    if (options.json) console.log(JSON.stringify({ ...circumstances(version, runs), runs }));
  });
}

/** Measure one model at each length; one that fails has its reason in place of a report. */
async function measureShape(call, { model, load, lengths }) {
  const runs = [];
  try {
    const started = performance.now();
    const info = await call("load", model, { ...load, ...loadOptions });
    const loadMs = Math.round(performance.now() - started);
    for (const promptTokens of lengths) {
      const report = await measure(call, { promptTokens, maxTokens: DECODED });
      if (!options.json) console.log(`${benchTable(report, info, model)}\n`);
      runs.push({ model, loadMs, schedule: info.schedule, adapter: info.adapter, report });
    }
    await call("unload");
  } catch (error) {
    console.error(`${model}: ${error.message}`);
    runs.push({ model, error: error.message });
    process.exitCode = 1;
  }
  return runs;
}

function circumstances(version, runs) {
  const { vendor = "", architecture = "", description = "" } = runs.find(({ adapter }) => adapter)?.adapter ?? {};
  const { stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd: fileURLToPath(new URL("..", import.meta.url)), encoding: "utf8" });
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: (stdout ?? "").trim() || "unknown",
    browser: `${browser} ${version}, headless, ${process.platform}`,
    adapter: description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed",
    options: `batch 1, ${options.temperature ? JSON.stringify(sampling) : "greedy"}, ${options["kv-cache"] ?? "f16"} cache${options["prefill-bits"] === 8 ? ", prefill in 8 bits" : ""}`,
  };
}
