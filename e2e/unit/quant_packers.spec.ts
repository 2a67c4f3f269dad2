import { expect, test } from "@playwright/test";

import { SUPPORTED_FORMATS, FORMATS, requireSupportedMethod } from "../../src/quant/formats.ts";
import { quantiseGroup } from "../reference/mlx_quantise.ts";
import { decodeE4m3, hexWords, packAwq, packHighFirst, packPlanes, packRows, packStream, packWords, takeOne, turnWords } from "../reference/packers.ts";

// The words that each format's own tools write, so that the packers of the tests are known to be right.

const codes = (count: number, code: (i: number) => number) => Array.from({ length: count }, (_, i) => code(i));

test("reference streams are MLX's at every width", () => {
  const expected: Record<number, string> = {
    2: "93939393 93939393",
    3: "43c67543 7543c675 c67543c6",
    4: "61c72d83 e94fa50b 61c72d83 e94fa50b",
    5: "79793503 fd560b30 77137249 1bb45871 f668f514",
    6: "1748d203 5c2b9a17 38913feb 2789d613 503bdb1b 79950f28",
    8: "120d0803 26211c17 3a35302b 4e49443f 625d5853 76716c67 8a85807b 9e99948f",
  };
  for (const [bits, words] of Object.entries(expected)) {
    expect(hexWords(packStream(codes(32, (i) => (5 * i + 3) % 2 ** Number(bits)), Number(bits)))).toBe(words);
  }
  expect(hexWords(packStream(codes(16, (i) => (3 * i + 1) % 16), 4))).toBe("630da741 eb852fc9");
});

test("reference columns are GPTQ's, zero points and their borrows included", () => {
  const rows = packRows(32, 32, (n, k) => (3 * k + 5 * n) % 16, (row) => packStream(row, 4));
  expect(hexWords(turnWords(rows, 32)).slice(0, 35)).toBe("52fc9630 a741eb85 fc9630da 41eb852f");
  expect(hexWords(packStream(codes(32, (k) => (3 * k) % 8), 3))).toBe("98abc398 c398abc3 abc398ab");
  expect(hexWords(takeOne(packStream(codes(16, (n) => (n % 15) + 1), 4), 4))).toBe("76543210 0edcba98");
  expect(hexWords(takeOne(packStream(codes(8, (n) => n), 4), 4))).toBe("654320ff");
  expect(hexWords(takeOne(packStream([128, 128, 128, 128], 8), 8))).toBe("7f7f7f7f");
});

test("reference words are AWQ's", () => {
  const words = [0, 1, 2, 3].map((k) => hexWords(packAwq(codes(8, (n) => (3 * k + 5 * n) % 16))));
  expect(words.join(" ")).toBe("39f5e4a0 6c2817d3 9f5b4a06 c28e7d39");
  expect(hexWords(packAwq(codes(8, (n) => n + 1)))).toBe("86427531");
});

test("reference rows are those of compressed-tensors, dense and word by word", () => {
  expect(hexWords(packStream(codes(16, (i) => (3 * i) % 16), 4))).toBe("52fc9630 da741eb8");
  expect(hexWords(packStream(codes(16, (i) => i), 4))).toBe("76543210 fedcba98");
  expect(hexWords(packWords(codes(32, (i) => (3 * i) % 8), 3))).toBe("18abc398 0e62af0e 3c398abc 0000002a");
  expect(hexWords(packStream(codes(8, (i) => 31 * i), 8))).toBe("5d3e1f00 d9ba9b7c");
});

test("reference nibbles are those of bitsandbytes, the first of two high", () => {
  expect([...packHighFirst([7, 8, 9, 10])]).toEqual([0x78, 0x9a]);
});

test("reference planes are those of HQQ, and of quanto and BitNet", () => {
  expect([...packPlanes([3, 4, 5, 6, 7, 8, 9, 10], 4, "high")]).toEqual([0x37, 0x48, 0x59, 0x6a]);
  expect([...packPlanes([0, 1, 2, 3], 2, "low")]).toEqual([0xe4]);
  const ternary = [[0, -1], [-1, 1], [-1, 1], [-1, 1], [1, 0], [0, -1], [1, -1], [1, -1]];
  expect([...packPlanes(ternary.flat().map((weight) => weight + 1), 2, "low")]).toEqual([0b10100001, 0b00011000, 0b10010000, 0b00001010]);
});

test("reference 8-bit floats are E4M3", () => {
  const values = [0x01, 0x07, 0x08, 0x38, 0x3c, 0x40, 0x7e, 0x80, 0xb8, 0xfe].map(decodeE4m3);
  expect(values).toEqual([0.001953125, 0.013671875, 0.015625, 1, 1.5, 2, 448, -0, -1, -448]);
});

test("a quantisation method that no format covers is refused by name, with the list of what is read", () => {
  const method = { actOrder: false, isOnline: false, hasTransforms: false, weightBits: [] };
  for (const name of ["gptq", "awq", "compressed-tensors", "fp8", "bitsandbytes", "auto-round", "mxfp4", "bitnet", "hqq", "quanto", "torchao"]) requireSupportedMethod({ method: name, ...method });
  expect(() => requireSupportedMethod({ method: "aqlm", ...method })).toThrow(/"aqlm".*not supported.*MLX affine \(2, 3/);
  expect(() => requireSupportedMethod({ method: "compressed-tensors", ...method, hasTransforms: true })).toThrow(/transforms/);
  expect(() => requireSupportedMethod({ method: "bitnet", ...method, isOnline: true })).toThrow(/"bitnet" online/);
  for (const { name } of Object.values(FORMATS)) expect(SUPPORTED_FORMATS).toContain(name);
});

test("the reference quantiser gives the codes that MLX gives", () => {
  const weights = codes(32, (i) => Math.fround(Number((0.9 * Math.sin(0.7 * i) + 0.1).toFixed(4))));
  const group = quantiseGroup(weights, 4);
  expect(group.scale).toBeCloseTo(-0.1241874993, 9);
  expect(group.bias).toBeCloseTo(0.9934999943, 9);
  expect(hexWords(packStream(group.codes, 4))).toBe("eea51037 ea51027c a51027ce 51027cee");
  const negated = quantiseGroup(weights.map((weight) => -weight), 4);
  expect(negated).toEqual({ scale: -group.scale, bias: -group.bias, codes: group.codes });
});
