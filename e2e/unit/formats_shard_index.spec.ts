import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import type { ByteFile, FileSet } from "../../src/formats/byte_file.ts";
import { chooseWeightFiles, parseShardIndex, readWeightMap } from "../../src/formats/shard_index.ts";

import { memoryFile, safetensorsBytes } from "./formats_support.ts";

const one = (tensor: string) =>
  safetensorsBytes(`{"${tensor}":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, new Uint8Array(2));

const index = (weightMap: Record<string, unknown>) => JSON.stringify({ metadata: { total_size: 4 }, weight_map: weightMap });

function fileSet(files: Record<string, Uint8Array | string>, isListed = true): FileSet & { opened: string[] } {
  const opened: string[] = [];
  return {
    id: "test/model",
    opened,
    list: async () => (isListed ? Object.keys(files) : undefined),
    async open(name): Promise<ByteFile | undefined> {
      opened.push(name);
      const content = files[name];
      if (content === undefined) return undefined;
      return memoryFile(name, typeof content === "string" ? new TextEncoder().encode(content) : content);
    },
  };
}

test("an index maps tensors to shards, with or without metadata", () => {
  expect(parseShardIndex(index({ a: "x.safetensors", __proto__x: "y.safetensors" })).get("a")).toBe("x.safetensors");
  expect(parseShardIndex('{"weight_map":{"a":"x"}}')).toEqual(new Map([["a", "x"]]));
});

const refused: [title: string, text: string][] = [
  ["is not JSON", "<!doctype html>"],
  ["has no weight_map", "{}"],
  ["has a list for weight_map", '{"weight_map":[]}'],
  ["maps nothing", index({})],
  ["maps a tensor to a number", index({ a: 1 })],
  ["climbs out with ..", index({ a: "..safetensors" })],
  ["names a path", index({ a: "../x.safetensors" })],
  ["names another server", index({ a: "https://example.com/x.safetensors" })],
  ["names a Windows path", index({ a: "x\\y.safetensors" })],
  ["names an empty shard", index({ a: "" })],
  ["names more than 10000 shards", index(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`t${i}`, `s${i}`])))],
];

for (const [title, text] of refused) {
  test(`an index that ${title} is refused`, () => {
    expect(() => parseShardIndex(text)).toThrow(HearthError);
    expect(() => parseShardIndex(text)).toThrow(/model\.safetensors\.index\.json/);
  });
}

test("the shards of an index are opened once each, in order", async () => {
  const files = fileSet({
    "model.safetensors.index.json": index({ b: "2.safetensors", a: "1.safetensors" }),
    "1.safetensors": one("a"), "2.safetensors": one("b"), "model.safetensors": one("unused"),
  });
  const weights = await readWeightMap(files);
  expect(weights.map(({ file, header }) => [file.name, ...header.tensors.keys()])).toEqual([["1.safetensors", "a"], ["2.safetensors", "b"]]);
  expect(files.opened).toEqual(["model.safetensors.index.json", "1.safetensors", "2.safetensors"]);
});

test("without an index the single file is read", async () => {
  const weights = await readWeightMap(fileSet({ "model.safetensors": one("w") }));
  expect(weights.map(({ file }) => file.name)).toEqual(["model.safetensors"]);
});

test("a single file of another name is found where the files are listed", async () => {
  const name = "gptq_model-4bit-128g.safetensors";
  const files = { "config.json": "{}", "onnx/model.safetensors": one("other"), [name]: one("w") };
  const weights = await readWeightMap(fileSet(files));
  expect(weights.map(({ file }) => file.name)).toEqual([name]);
  await expect(readWeightMap(fileSet(files, false))).rejects.toMatchObject({ code: "file-not-found", message: expect.stringContaining("does not list its files") });
  await expect(readWeightMap(fileSet({ ...files, "b.safetensors": one("v") })))
    .rejects.toMatchObject({ code: "file-not-found", message: expect.stringMatching(/several others \(gptq_model-4bit-128g\.safetensors, b\.safetensors\)/) });
});

test("a checkpoint without weights is refused with the names that were looked for", async () => {
  await expect(chooseWeightFiles(fileSet({ "pytorch_model.bin": "" })))
    .rejects.toMatchObject({ code: "file-not-found", message: expect.stringContaining("model.safetensors") });
});

test("a shard that is missing, or lacks a tensor of the index, is named", async () => {
  const missing = fileSet({ "model.safetensors.index.json": index({ a: "1.safetensors" }) });
  await expect(readWeightMap(missing)).rejects.toMatchObject({ code: "file-not-found", message: expect.stringContaining("1.safetensors") });
  const lacking = fileSet({ "model.safetensors.index.json": index({ a: "1.safetensors" }), "1.safetensors": one("b") });
  await expect(readWeightMap(lacking)).rejects.toMatchObject({ code: "corrupt-checkpoint", message: expect.stringContaining('tensor "a"') });
});
