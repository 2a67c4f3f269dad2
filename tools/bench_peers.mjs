// npm run bench:peers: Hearth beside other runtimes, at the same shapes, in the same browser. Needs nothing but Node once built.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { BUILT, buildPeers } from "../bench/peers/build.mjs";
import { measurePages } from "../bench/peers/measure.mjs";
import { CONTEXT_LENGTH, SHAPES } from "../bench/peers/shapes.mjs";
import { CHROMIUM_ARGS } from "./driver/chromium_args.mjs";
import { ensureBrowser } from "./driver/find_browser.mjs";

const RUNTIMES = [
  { label: "Hearth", runtime: "hearth", variant: "" },
  { label: "onnxruntime-web", runtime: "onnxruntime", variant: "" },
  { label: "transformers.js", runtime: "transformers", variant: "" },
  { label: "wllama (WebGPU)", runtime: "wllama", variant: "gpu" },
  { label: "wllama (CPU)", runtime: "wllama", variant: "cpu" },
];

const WITH_GPU = { prefill: 512, context: 1024, tokens: 128, repeats: 3 };
const WITHOUT_GPU = { prefill: 32, context: 64, tokens: 8, repeats: 1 }; // some peers take a second for a token there

const USAGE = `npm run bench:peers -- [options]
  --build            only make dist/peers, which with the project's own files is all that another machine needs
  --shapes A,B       of ${Object.keys(SHAPES).join(", ")} (default: the first two with a GPU, else the last)
  --runtimes A,B     of ${RUNTIMES.map(({ label }) => label).join(", ")} (default all)
  --prefill N        tokens of the prompt whose prefill is measured (default 512, without a GPU 32)
  --context N        tokens before the first that is decoded (default 1024, without a GPU 64)
  --tokens N         tokens to decode (default 128, without a GPU 8)
  --repeats N        measurements, of which the median is taken (default 3, without a GPU 1)
  --patience N       seconds after which a runtime is given up (default 300)
  --json FILE        also write everything to a file`;

async function main() {
  const { values } = parseArgs({
    options: { build: { type: "boolean" }, help: { type: "boolean" }, ...strings("shapes", "runtimes", "prefill", "context", "tokens", "repeats", "patience", "json") },
  });
  if (values.help) return console.log(USAGE);
  const say = (line) => console.error(`peers: ${line}`); // stderr, so that the table can be piped
  if (values.build || !existsSync(`${BUILT}/versions.json`)) buildPeers(say);
  if (values.build) return say(`${BUILT} is made`);

  const hasGpu = existsSync("/dev/dri") || existsSync("/dev/nvidia0") || process.platform !== "linux";
  const shapes = chosen("shapes", values.shapes, Object.keys(SHAPES), hasGpu ? ["llama-3.2-1b", "qwen3-0.6b"] : ["hearth-tiny"]);
  const labels = RUNTIMES.map(({ label }) => label);
  const runtimes = chosen("runtimes", values.runtimes, labels, labels);
  const standards = Object.entries(hasGpu ? WITH_GPU : WITHOUT_GPU);
  const numbers = Object.fromEntries(standards.map(([name, standard]) => [name, number(values, name, standard)]));
  const pages = shapes.flatMap((name) => RUNTIMES.filter(({ label }) => runtimes.includes(label)).map((runtime) => page(name, runtime, numbers)));
  const outcomes = await measurePages(pages, {
    executablePath: ensureBrowser("chromium", say),
    args: CHROMIUM_ARGS[hasGpu ? (process.platform === "linux" ? "gpu" : "any") : "software"],
    patienceMs: 1000 * number(values, "patience", 300),
    say,
  });
  const rows = pages.map(({ label, shape }, index) => ({ shape: JSON.parse(shape).name, label, ...outcomes[index] }));
  console.log(table(rows, numbers));
  if (values.json) writeFileSync(values.json, JSON.stringify({ date: new Date().toISOString(), ...numbers, rows }, null, 1));
}

function strings(...names) {
  return Object.fromEntries(names.map((name) => [name, { type: "string" }]));
}

function chosen(name, text, known, standard) {
  const wanted = text?.split(",") ?? standard;
  const strange = wanted.filter((one) => !known.includes(one));
  if (strange.length > 0) throw new Error(`--${name}: expected some of ${known.join(", ")}, found ${strange.join(", ")}`);
  return wanted;
}

function number(values, name, standard) {
  const value = Number(values[name] ?? standard);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: expected a whole number above zero, found "${values[name]}"`);
  return value;
}

function page(name, runtime, numbers) {
  const versions = JSON.parse(readFileSync(`${BUILT}/versions.json`, "utf8"));
  // The bundled model's own context is shorter than that of the files written here.
  const shape = { ...SHAPES[name], name, contextLength: Math.min(CONTEXT_LENGTH, SHAPES[name].contextLength ?? CONTEXT_LENGTH), ...versions };
  return { ...runtime, shape: JSON.stringify(shape), ...numbers };
}

function table(rows, { prefill, context }) {
  const speed = (value) => value.toPrecision(value < 100 ? 3 : Math.ceil(Math.log10(value + 1)));
  const cell = ({ median, least, most }) => `${speed(median)} (${speed(least)} to ${speed(most)})`;
  const lines = rows.map(({ shape, label, version, details, error, ...row }) =>
    error
      ? `| ${shape} | ${label} | | | failed: ${error.replaceAll(/\s*\n\s*/g, " ").slice(0, 300)} |`
      : `| ${shape} | ${label} ${version} | ${cell(row.decodeTokensPerSecond)} | ${cell(row.prefillTokensPerSecond)} | ${details} |`,
  );
  const adapter = rows.find((row) => row.adapter)?.adapter ?? "no adapter";
  const head = `| shape | runtime | decode at ${context} tokens, tokens/s | prefill of ${prefill}, tokens/s | how |`;
  return [`${adapter}; median (least to most):`, "", head, "| --- | --- | --- | --- | --- |", ...lines].join("\n");
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
