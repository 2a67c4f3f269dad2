import { readFileSync, readdirSync } from "node:fs";

import { safetensorsBytes } from "../unit/formats_support.ts";
import { expect, test, type Harness } from "../support/fixtures.ts";
import { slower, withAllowance } from "../support/machine_speed.ts";
import { measured, TIMED } from "../support/measured.ts";
import type { Refusal } from "./hostile_files.page.ts";
import { hostileServer, type HostileFile, type HostileServer } from "./hostile_server.ts";

const PAGE = "/e2e/faults/hostile_files.page.ts";
const TINY = new URL("../../public/models/hearth-tiny/", import.meta.url);
const TERABYTE = 1e12;

const tiny = (name: string): Uint8Array => readFileSync(new URL(name, TINY));
const text = (content: string): HostileFile => ({ bytes: new TextEncoder().encode(content) });
const config = JSON.parse(new TextDecoder().decode(tiny("config.json"))) as Record<string, unknown>;
const sound = new Map<string, HostileFile>(readdirSync(TINY).map((name) => [name, { bytes: tiny(name) }]));


let server: HostileServer;
test.beforeAll(async () => void (server = await hostileServer()));
test.afterAll(() => server.close());
// The server's own 404s and cut answers are part of the test.
test.use({ expectedErrors: [/Failed to load resource/] });

function headerClaiming(length: bigint): HostileFile {
  const bytes = new Uint8Array(1_000_000);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return { bytes };
}

function giantTensors(claimedLength: number): HostileFile {
  const header = `{"model.embed_tokens.weight":{"dtype":"F16","shape":[${(claimedLength - 200) / 200},100],"data_offsets":[0,${claimedLength - 200}]}}`.padEnd(192);
  return { bytes: safetensorsBytes(header, new Uint8Array(1_000_000)), claimedLength };
}

const shards = (count: number) => Array.from({ length: count }, (_, i) => `"t${i}":"${i}.safetensors"`).join();
const INDEX = "model.safetensors.index.json";

// What is wrong with a checkpoint; its other files are the bundled model's.
const ABSURD: [name: string, damage: Record<string, HostileFile>][] = [
  ["weights of a terabyte", { "model.safetensors": { ...sound.get("model.safetensors")!, claimedLength: TERABYTE } }], // ! the bundled model has one
  ["weights of an exabyte", { "model.safetensors": { bytes: new Uint8Array(300_000), claimedLength: 1e18 } }],
  ["a header of a terabyte", { "model.safetensors": headerClaiming(10n ** 12n) }],
  ["one tensor of 400 gigabytes", { "model.safetensors": giantTensors(4e11) }],
  ["tensors of a terabyte in a small file", { "model.safetensors": { ...giantTensors(TERABYTE), claimedLength: undefined } }],
  ["a config of 400 gigabytes", { "config.json": { bytes: new Uint8Array(300_000).fill(0x20), claimedLength: 4e11 } }],
  ["a model whose config asks for terabytes", { "config.json": text(JSON.stringify({ ...config, hidden_size: 2 ** 24, num_hidden_layers: 1e6 })) }],
  ["an index of a million shards", { [INDEX]: text(`{"weight_map":{${shards(1_000_000)}}}`) }],
  ["an index of 400,000 shards", { [INDEX]: text(`{"weight_map":{${shards(400_000)}}}`) }],
  ["an index that climbs out", { [INDEX]: text('{"weight_map":{"a":"../../model.safetensors"}}') }],
];

test("promise 25: absurd sizes are refused within a second of the last byte, after at most 26 MB, and no weights are stored", TIMED, async ({ harness }) => {
  const { result: seen, allowance } = await withAllowance(harness, () => refusals(harness, ABSURD));
  for (const { name, code, message, ms, sentBytes, storedBytes } of seen) {
    expect(["corrupt-checkpoint", "unsupported-checkpoint"], `${name}: ${message}`).toContain(code);
    expect(ms, name).toBeLessThan(1000 * allowance);
    expect(sentBytes, name).toBeLessThan(26_000_000);
    expect(storedBytes, name).toBeLessThan(26_000_000);
  }
  measured(`${summary(seen)}; ${slower(allowance)}`);
});

test("promise 24: a header of 100,000 tensors is parsed in at most 50 ms per megabyte", TIMED, async ({ harness }) => {
  const parse = () => harness.run<{ ms: number; mebibytes: number; tensors: number }>(PAGE, "parseLargeHeader");
  const { result: { ms, mebibytes, tensors }, allowance } = await withAllowance(harness, parse);
  expect(tensors).toBe(100_000);
  measured(`${(ms / mebibytes).toFixed(0)} ms per megabyte; ${slower(allowance)}`);
  expect(ms / mebibytes).toBeLessThan(50 * allowance);
});

const JSON_BOMBS: [name: string, damage: Record<string, HostileFile>][] = [
  ["a tokenizer of 200 MB", { "tokenizer.json": { bytes: new Uint8Array(300_000).fill(0x20), claimedLength: 2e8 } }],
  ["a tokenizer of a million levels", { "tokenizer.json": text("[".repeat(1e6)) }],
  ["a config of a million levels", { "config.json": text('{"a":'.repeat(1e6)) }],
  ["a tokenizer_config of a million levels", { "tokenizer_config.json": text("[".repeat(1e6)) }],
  ["a header of a million levels", { "model.safetensors": { bytes: safetensorsBytes("[".repeat(1e6), new Uint8Array()) } }],
  ["a vocabulary of 1.5 million", { "tokenizer.json": text(`{"model":{"merges":[],"vocab":{${Array.from({ length: 1.5e6 }, (_, i) => `"${i}":1`).join()}}}}`) }],
];

test("promise 28: JSON bombs are refused within a second of their last byte", TIMED, async ({ harness }) => {
  const { result: seen, allowance } = await withAllowance(harness, () => refusals(harness, JSON_BOMBS));
  for (const { name, code, message, ms } of seen) {
    expect(code, `${name}: ${message}`).toBe("corrupt-checkpoint");
    expect(ms, name).toBeLessThan(1000 * allowance);
  }
  measured(`${summary(seen)}; ${slower(allowance)}`);
});

/** `ms` counts from the last byte that the server sent: starting a worker and a download take what the machine gives them. */
type Seen = Refusal & { name: string; ms: number; sentBytes: number };

async function refusals(harness: Harness, cases: readonly [string, Record<string, HostileFile>][]): Promise<Seen[]> {
  const folders = cases.map((_, i) => `${test.info().testId}-${i}`);
  for (const [i, [, damage]] of cases.entries()) server.folders.set(folders[i], new Map([...sound, ...Object.entries(damage)]));
  const found = await harness.run<Refusal[]>(PAGE, "refusalsOf", folders.map((folder) => `${server.url}${folder}/`));
  return found.map((refusal, i) => {
    const { bytes = 0, at = 0 } = server.sent.get(folders[i]) ?? {};
    return { ...refusal, name: cases[i][0], ms: refusal.endedAt - at, sentBytes: bytes };
  });
}

function summary(seen: readonly Seen[]): string {
  const most = (key: "ms" | "sentBytes" | "storedBytes") => Math.max(...seen.map((one) => one[key]));
  return `${seen.length} checkpoints; slowest refusal ${Math.round(most("ms"))} ms; most sent ${(most("sentBytes") / 1e6).toFixed(1)} MB; most stored ${(most("storedBytes") / 1e6).toFixed(1)} MB`;
}
