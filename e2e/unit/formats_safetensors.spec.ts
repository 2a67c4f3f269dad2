import { readFile } from "node:fs/promises";

import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import {
  parseHeaderLength, parseSafetensorsHeader, readSafetensorsHeader, type SafetensorsHeader,
} from "../../src/formats/safetensors.ts";

import { memoryFile, safetensorsBytes } from "./formats_support.ts";

const MAX_U64 = "18446744073709551615";

async function read(header: string | Uint8Array, dataBytes = 0): Promise<SafetensorsHeader> {
  return readSafetensorsHeader(memoryFile("model.safetensors", safetensorsBytes(header, new Uint8Array(dataBytes))));
}

function entry(dtype: string, shape: string, offsets: string, extra = ""): string {
  return `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}${extra}}`;
}

const F32 = entry("F32", "[1]", "[0,4]");

const accepted: [title: string, header: string, dataBytes: number][] = [
  ["one plain tensor", `{"w":${F32}}`, 4],
  ["a null __metadata__", `{"__metadata__":null,"w":${F32}}`, 4],
  ["string metadata", `{"__metadata__":{"format":"pt","format":"mlx"},"w":${F32}}`, 4],
  ["a leading space", ` {"w":${F32}}`, 4],
  ["trailing padding of every JSON space", `{"w":${F32}} \n\r\t`, 4],
  ["an unaligned tensor", `{"u":${entry("U8", "[3]", "[0,3]")},"w":${entry("F32", "[1]", "[3,7]")}}`, 7],
  ["keys out of data order", `{"b":${entry("F32", "[1]", "[4,8]")},"a":${F32}}`, 8],
  ["a scalar", `{"w":${entry("F32", "[]", "[0,4]")}}`, 4],
  ["no tensors and no data", "{}", 0],
  ["an empty tensor name", `{"":${F32}}`, 4],
  ["the tensor name __proto__", `{"__proto__":${F32}}`, 4],
  ["an unknown field in an entry", `{"w":${entry("F32", "[1]", "[0,4]", ',"extra":[{"deep":0.5}]')}}`, 4],
  ["an unknown field twice", `{"w":${entry("F32", "[1]", "[0,4]", ',"extra":1,"extra":2')}}`, 4],
  ["a zero dimension beside the largest one", `{"w":${entry("F32", "[0,4294967296]", "[0,0]")}}`, 0],
  ["eight dimensions", `{"w":${entry("F32", "[1,1,1,1,1,1,1,1]", "[0,4]")}}`, 4],
  ["F4 in whole bytes", `{"w":${entry("F4", "[1,4]", "[0,2]")}}`, 2],
  ["F6 in whole bytes", `{"w":${entry("F6_E2M3", "[4]", "[0,3]")}}`, 3],
  ["two empty tensors at one offset", `{"a":${entry("F32", "[0]", "[0,0]")},"b":${entry("F32", "[0]", "[0,0]")}}`, 0],
  ["escapes in names", `{"\\u0077\\ud83d\\ude00\\n":${F32}}`, 4],
];

const rejected: [title: string, header: string, dataBytes: number][] = [
  ["a duplicate tensor name", `{"w":${entry("U8", "[9]", "[0,9]")},"w":${F32}}`, 4],
  ["the same tensor twice", `{"w":${F32},"w":${F32}}`, 4],
  ["a dimension past 2^32", `{"w":${entry("F32", "[0,4294967297]", "[0,0]")}}`, 0],
  ["nine dimensions", `{"w":${entry("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]")}}`, 4],
  ["more tensors than any model has", `{${Array.from({ length: 100_002 }, (_, i) => `"${i}":${entry("U8", "[0]", "[0,0]")}`).join()}}`, 0],
  ["a metadata value that is not a string", `{"__metadata__":{"n":1},"w":${F32}}`, 4],
  ["metadata that is not an object", `{"__metadata__":[],"w":${F32}}`, 4],
  ["a trailing NUL", `{"w":${F32}}\0`, 4],
  ["a byte-order mark", `\ufeff{"w":${F32}}`, 4],
  ["a duplicate __metadata__", `{"__metadata__":{},"__metadata__":{},"w":${F32}}`, 4],
  ["a duplicate dtype in one entry", `{"w":${entry("F32", "[1]", "[0,4]", ',"dtype":"F32"')}}`, 4],
  ["a duplicate shape in one entry", `{"w":${entry("F32", "[1]", "[0,4]", ',"shape":[1]')}}`, 4],
  ["overlapping tensors", `{"a":${F32},"b":${entry("F32", "[1]", "[2,6]")}}`, 6],
  ["the same range twice", `{"a":${F32},"b":${F32}}`, 4],
  ["a hole between tensors", `{"a":${F32},"b":${entry("F32", "[1]", "[8,12]")}}`, 12],
  ["a first tensor that does not begin at 0", `{"w":${entry("F32", "[1]", "[4,8]")}}`, 8],
  ["trailing data", `{"w":${F32}}`, 5],
  ["data without tensors", "{}", 1],
  ["an end past the end of the file", `{"w":${F32}}`, 3],
  ["a negative offset", `{"w":${entry("F32", "[1]", "[-4,0]")}}`, 4],
  ["a negative zero offset", `{"w":${entry("F32", "[1]", "[-0,4]")}}`, 4],
  ["the offset 0.0", `{"w":${entry("F32", "[1]", "[0.0,4]")}}`, 4],
  ["an offset with an exponent", `{"w":${entry("F32", "[1]", "[0,4e0]")}}`, 4],
  ["three offsets", `{"w":${entry("F32", "[1]", "[0,4,4]")}}`, 4],
  ["one offset", `{"w":${entry("F32", "[1]", "[0]")}}`, 4],
  ["an end before its begin", `{"w":${entry("F32", "[1]", "[4,0]")}}`, 4],
  ["a size that contradicts the shape", `{"w":${entry("F32", "[2]", "[0,4]")}}`, 4],
  ["a shape that overflows", `{"w":${entry("F32", `[${MAX_U64},${MAX_U64},0]`, "[0,0]")}}`, 0],
  ["a dimension past 64 bits", `{"w":${entry("F32", "[0,18446744073709551616]", "[0,0]")}}`, 0],
  ["an unknown dtype", `{"w":${entry("F33", "[1]", "[0,4]")}}`, 4],
  ["the dtype toString", `{"w":${entry("toString", "[1]", "[0,4]")}}`, 4],
  ["a missing shape", `{"w":{"dtype":"F32","data_offsets":[0,4]}}`, 4],
  ["a missing dtype", `{"w":{"shape":[1],"data_offsets":[0,4]}}`, 4],
  ["missing offsets", `{"w":{"dtype":"F32","shape":[1]}}`, 4],
  ["a fractional dimension", `{"w":${entry("F32", "[1.5]", "[0,6]")}}`, 6],
  ["a top-level array", "[]", 0],
  ["an entry that is an array", `{"w":["F32",[1],[0,4]]}`, 4],
  ["an odd count of F4", `{"w":${entry("F4", "[3]", "[0,2]")}}`, 2],
  ["deep nesting", `{"w":${entry("F32", "[1]", "[0,4]", `,"x":${"[".repeat(128)}${"]".repeat(128)}`)}}`, 4],
  ["unclosed nesting of a million levels", "[".repeat(1_000_000), 0],
  ["an empty header", "", 0],
  ["a trailing comma", `{"w":${F32},}`, 4],
  ["a lone surrogate escape", `{"\\ud800":${F32}}`, 4],
  ["a raw control character in a name", `{"a\nb":${F32}}`, 4],
  ["NaN in an unknown field", `{"w":${entry("F32", "[1]", "[0,4]", ',"x":NaN')}}`, 4],
  ["a leading zero", `{"w":${entry("F32", "[01]", "[0,4]")}}`, 4],
];

for (const [title, header, dataBytes] of accepted) {
  test(`the header parser accepts ${title}`, async () => {
    const { tensors } = await read(header, dataBytes);
    for (const { begin, end } of tensors.values()) expect(end).toBeGreaterThanOrEqual(begin);
  });
}

for (const [title, header, dataBytes] of rejected) {
  test(`the header parser rejects ${title}`, async () => {
    const error = await read(header, dataBytes).then(() => undefined, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(HearthError);
    expect(error).toMatchObject({ code: "corrupt-checkpoint", message: expect.stringContaining("model.safetensors") });
  });
}

test("a header that is not UTF-8 is rejected", async () => {
  await expect(read(new Uint8Array([0x7b, 0xff, 0x7d]))).rejects.toThrow(/UTF-8/);
});

test("a header error names the tensor, the expectation and the finding", async () => {
  await expect(read(`{"layers.0.w":${entry("F32", "[2]", "[0,4]")}}`, 4))
    .rejects.toThrow('model.safetensors: tensor "layers.0.w": expected 8 bytes for F32 [2], found 4');
});

test("header lengths are checked against the file and the cap", () => {
  const first8 = (length: bigint) => new Uint8Array(new BigUint64Array([length]).buffer);
  expect(parseHeaderLength(first8(25_000_000n), 200_000_000, "f")).toBe(25_000_000);
  expect(() => parseHeaderLength(first8(25_000_001n), 200_000_000, "f")).toThrow(HearthError);
  expect(() => parseHeaderLength(first8(2n ** 64n - 1n), 200_000_000, "f")).toThrow(HearthError);
  expect(() => parseHeaderLength(first8(100n), 107, "f")).toThrow(/fetch the file again/);
  expect(() => parseHeaderLength(new Uint8Array(5), 5, "f")).toThrow(HearthError);
});

test("the padded two-tensor file reads back its offsets", async () => {
  const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}    ';
  const file = safetensorsBytes(header, Uint8Array.from([0, 0, 0xc0, 0x3f, 0x80, 0x3f, 0x40, 0xbf]));
  expect(file.byteLength).toBe(128);
  const { tensors } = await readSafetensorsHeader(memoryFile("m", file));
  expect(tensors.get("w")).toEqual({ name: "w", dtype: "F32", shape: [1], begin: 120, end: 124 });
  expect(tensors.get("b")).toEqual({ name: "b", dtype: "BF16", shape: [2], begin: 124, end: 128 });
});

test("the unaligned MLX-style file reads back its offsets", async () => {
  const header = '{"__metadata__":null,"b":{"data_offsets":[3,7],"dtype":"BF16","shape":[2]},"u":{"data_offsets":[0,3],"dtype":"U8","shape":[3]}}';
  const file = safetensorsBytes(header, Uint8Array.from([7, 8, 9, 0x80, 0x3f, 0x40, 0xbf]));
  expect(file.byteLength).toBe(142);
  const { tensors, metadata } = await readSafetensorsHeader(memoryFile("m", file));
  expect(tensors.get("b")).toMatchObject({ begin: 138, end: 142 });
  expect(metadata).toEqual({});
});

test("a header longer than the first read is completed without reading a byte twice", async () => {
  const names = Array.from({ length: 6000 }, (_, i) => `"model.layers.${i}.weight":${entry("U8", "[1]", `[${i},${i + 1}]`)}`);
  const bytes = safetensorsBytes(`{${names.join(",")}}`, new Uint8Array(6000));
  const file = memoryFile("m", bytes);
  const { tensors } = await readSafetensorsHeader(file);
  expect(tensors.size).toBe(6000);
  expect(file.reads).toEqual([[0, 262144], [262144, bytes.byteLength - 6000]]);
});

test("the bundled model's header is sound and covers its file", async () => {
  const bytes = await readFile(new URL("../../public/models/hearth-tiny/model.safetensors", import.meta.url));
  const { tensors } = await readSafetensorsHeader(memoryFile("model.safetensors", new Uint8Array(bytes)));
  expect(tensors.has("model.embed_tokens.weight")).toBe(true);
  expect(Math.max(...[...tensors.values()].map(({ end }) => end))).toBe(bytes.byteLength);
});

test("metadata named __proto__ stays plain data", async () => {
  const { metadata } = await read('{"__metadata__":{"__proto__":"x"}}');
  expect(Object.hasOwn(metadata, "__proto__")).toBe(true);
  expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
});

test("a mutated header never causes anything but a HearthError", () => {
  const sound = new TextEncoder().encode(`{"__metadata__":{"format":"pt"},"w":${F32},"u\\u0041":${entry("U8", "[3,1]", "[4,7]")}}`);
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  let survivors = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = [...sound];
    for (let edits = 1 + random(4); edits > 0; edits--) {
      const at = random(bytes.length);
      const edit = random(3);
      if (edit === 0) bytes[at] = random(256);
      if (edit === 1) bytes.splice(at, 1 + random(3));
      if (edit === 2) bytes.splice(at, 0, ...bytes.slice(random(bytes.length)).slice(0, 1 + random(8)));
    }
    try {
      parseSafetensorsHeader(Uint8Array.from(bytes), 8 + bytes.length + 7, "fuzz");
      survivors++;
    } catch (error) {
      if (!(error instanceof HearthError) || error.code !== "corrupt-checkpoint") throw error;
    }
  }
  expect(survivors).toBeGreaterThan(0);
  expect(Object.keys(Object.prototype)).toEqual([]);
});
