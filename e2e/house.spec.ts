import { expect, test } from "@playwright/test";

import { importsOf, listFiles, readSource } from "./support/source_tree.ts";
import type { Import } from "./support/source_tree.ts";

// The rules of the house, as tests: who may import whom, and what every file owes its reader.

const LEAVES = ["formats", "text", "sampling", "storage"];

// For each room, what it may import beside itself and errors.ts. The rooms that compute stand in a row: gpu <- ... <- worker.
const MAY_IMPORT: Record<string, string[]> = {
  gpu: [],
  quant: ["gpu", "formats"],
  kernels: ["gpu", "quant", "formats", "src/sampling/options.ts"], // the samplers have a GPU half
  models: ["gpu", "quant", "kernels", "formats"],
  engine: ["gpu", "quant", "kernels", "models", ...LEAVES],
  worker: ["engine", ...LEAVES],
  api: ["src/worker/protocol.ts", "src/worker/transfer.ts", "src/worker/worker.ts", "src/worker/text_worker.ts"], // the last two only as workers' URLs
  ...Object.fromEntries(LEAVES.map((leaf) => [leaf, []])),
};

const sources = listFiles("src", [".ts"]);
const imports = sources.flatMap(importsOf);
const roomOf = (path: string) => (/^src\/(\w+)\//.exec(path) ?? [])[1] ?? "";
const show = ({ from, to }: Import) => `${from} imports ${to}`;

test("imports run one way between rooms", () => {
  const allowed = ({ from, to }: Import) => {
    const room = roomOf(from);
    if (from === "src/index.ts" || to === "src/errors.ts" || roomOf(to) === room) return true;
    if (to.startsWith("shaders/")) return ["quant", "kernels", "gpu"].includes(room);
    return MAY_IMPORT[room]?.some((place) => to === place || roomOf(to) === place) ?? false;
  };
  expect(imports.filter((one) => !one.isPackage && !allowed(one)).map(show)).toEqual([]);
});

test("the page takes the workers' entries only as URLs", () => {
  const lines = sources.filter((path) => roomOf(path) === "api").flatMap((path) => readSource(path).split("\n"));
  const entries = lines.filter((line) => /worker\/(text_)?worker\.ts/.test(line));
  expect(entries.filter((line) => !line.includes("worker.ts?worker&inline"))).toEqual([]);
});

test("no file imports itself by a detour", () => {
  const next = new Map(sources.map((path) => [path, importsOf(path).map(({ to }) => to)]));
  const finished = new Set<string>();
  const cycleFrom = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(" -> ")];
    if (finished.has(path)) return [];
    const cycles = (next.get(path) ?? []).flatMap((to) => cycleFrom(to, [...trail, path]));
    finished.add(path);
    return cycles;
  };
  expect(sources.flatMap((path) => cycleFrom(path, []))).toEqual([]);
});

test("each package has one home", () => {
  const homes: Record<string, RegExp> = {
    comlink: /^src\/(api|worker)\//,
    "idb-keyval": /^src\/storage\/connection\.ts$/,
    "hash-wasm": /^src\/storage\/(wasm_)?sha256\.ts$/,
    "@huggingface/tokenizers": /^src\/text\//,
    "@huggingface/jinja": /^src\/text\//,
  };
  const astray = imports.filter(({ from, to, isPackage }) => isPackage && !homes[to]?.test(from));
  expect(astray.map(show)).toEqual([]);
});

test("the demo imports the public surface only", () => {
  const reaches = listFiles("demo", [".ts"]).flatMap(importsOf);
  const allowed = ({ to, isPackage }: Import) => isPackage || to.startsWith("demo/") || to === "src/index.ts";
  expect(reaches.filter((one) => !allowed(one)).map(show)).toEqual([]);
});

test("there are no default exports, and only index.ts gathers what others export", () => {
  expect(sources.filter((path) => /^export default|\bas default\b/m.test(readSource(path)))).toEqual([]);
  const passesOn = (path: string) => (readSource(path).match(/^export (?!type).*\bfrom\b/gm) ?? []).length;
  expect(sources.filter((path) => path !== "src/index.ts" && passesOn(path) > 0)).toEqual([]);
});

test("imports name what they take and the file they take it from", () => {
  const stars = sources.filter((path) => /^(import|export) \*/m.test(readSource(path)));
  const withoutSuffix = imports.filter(({ to, isPackage }) => !isPackage && !/\.(ts|wgsl|json)$/.test(to));
  expect([...stars, ...withoutSuffix.map(show)]).toEqual([]);
});

test("no file is longer than 300 lines", () => {
  const files = [...sources, ...listFiles("shaders", [".wgsl"]), ...listFiles("demo", [".ts"]), ...listFiles("tools", [".mjs", ".js"]), ...listFiles("e2e", [".ts"])];
  const length = (path: string) => readSource(path).trimEnd().split("\n").length;
  expect(files.filter((path) => length(path) > 300).map((path) => `${path}: ${length(path)}`)).toEqual([]);
});

test("every export says what it is", () => {
  const undocumented = sources.flatMap((path) => {
    const lines = readSource(path).split("\n");
    return lines.flatMap((line, index) => {
      const declares = /^export (?:declare |abstract |async )*(?:function|class|const|let|interface|type|enum)\b(?! \{)/.test(line);
      return declares && !/\*\/\s*$/.test(lines[index - 1] ?? "") ? [`${path}:${index + 1} ${line}`] : [];
    });
  });
  expect(undocumented).toEqual([]);
});

test("every shader binding has its shape beside it", () => {
  const bindings = listFiles("shaders", [".wgsl"]).flatMap((path) =>
    readSource(path)
      .split("\n")
      .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
      .filter(({ line }) => /@binding\(/.test(line.split("//")[0])),
  );
  // A uniform struct says what it is in words; an array says its shape in brackets.
  const shapeless = bindings.filter(({ line }) => !(line.includes("array<") ? /\/\/.*\[[^\]]+\]/ : /\/\/\s*\S/).test(line));
  expect(shapeless.map(({ line, place }) => `${place} ${line}`)).toEqual([]);
});

test("no file knows the machine it was written on", () => {
  const files = [
    ...["src", "demo", "e2e", "tools"].flatMap((folder) => listFiles(folder, [".ts", ".js", ".mjs", ".mts", ".html", ".css", ".py", ".md"])),
    ...listFiles("shaders", [".wgsl"]),
    ...["package.json", "vite.config.ts", "playwright.config.ts", "tsconfig.json"],
  ];
  const machinePath = /(?<![\w.])\/(?:home|Users|root|work|mnt)\/\w/;
  const telling = files.filter((path) => path !== "e2e/house.spec.ts" && machinePath.test(readSource(path)));
  expect(telling).toEqual([]);
});
