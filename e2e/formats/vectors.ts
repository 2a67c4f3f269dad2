import { join, packAwq, packHighFirst, packRows, packStream, packWords, takeOne, turnWords } from "../reference/packers.ts";
import type { StoredTensor } from "./stored_module.ts";

/** A worked example: tensors, and some of the weights that they mean, as [row, first column, values...]. */
export interface Vector {
  name: string;
  config: Record<string, unknown>;
  rows: number;
  columns: number;
  tensors: StoredTensor[];
  expected: [row: number, column: number, ...values: number[]][];
}

// The packers' words are compared with the documented ones in unit/quant_packers.spec.ts.

/** Bytes in hexadecimal, and zeros up to `length`. */
export function bytesOf(hex: string, length: number): Uint8Array<ArrayBuffer> {
  const bytes = hex.split(" ").map((byte) => Number.parseInt(byte, 16));
  return Uint8Array.from({ length }, (_, i) => bytes[i] ?? 0);
}

/** The bytes of f32 values. */
export function floats(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function mlx(bits: number, values: number[]): Vector {
  return {
    name: `MLX affine, ${bits} bits`,
    config: { quantization: { bits, group_size: 32 } },
    rows: 1,
    columns: 32,
    tensors: [
      { suffix: "weight", dtype: "U32", shape: [1, bits], bytes: packStream(Array.from({ length: 32 }, (_, i) => (5 * i + 3) % 2 ** bits), bits) },
      { suffix: "scales", dtype: "F32", shape: [1, 1], bytes: floats([0.5]) },
      { suffix: "biases", dtype: "F32", shape: [1, 1], bytes: floats([-1.25]) },
    ],
    expected: [[0, 0, ...values]],
  };
}

function mlxFloat(mode: string, bits: number, group: number, codes: Uint8Array<ArrayBuffer>, scale: number, values: number[]): Vector {
  return {
    name: `MLX ${mode}`,
    config: { quantization: { bits, group_size: group, mode } },
    rows: 1,
    columns: 32,
    tensors: [
      { suffix: "weight", dtype: "U32", shape: [1, bits], bytes: codes },
      { suffix: "scales", dtype: "U8", shape: [1, 32 / group], bytes: new Uint8Array(32 / group).fill(scale) },
    ],
    expected: [[0, 0, ...values]],
  };
}

/** 4-bit floats 0.5, 2, 6, -1, -3, 0, 1.5, 4 and others. */
export const FOUR_BIT_FLOATS = bytesOf("41 a7 0d 63 c9 2f 85 eb", 16);
const HALVES: Readonly<Record<number, number>> = { 0.0625: 0x2c00, 0.125: 0x3000, 0.1875: 0x3200, 0.25: 0x3400, 0.375: 0x3600, 0.5: 0x3800, 0.75: 0x3a00, 1: 0x3c00 };

function halves(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint16Array.from(values, (value) => HALVES[value]).buffer);
}

const square = (code: (i: number, j: number) => number) => Array.from({ length: 32 }, (_, i) => Array.from({ length: 32 }, (_, j) => code(i, j)));

const gptq: Vector = {
  name: "GPTQ, 4 bits",
  config: { quantization_config: { quant_method: "gptq", bits: 4, group_size: 16 } },
  rows: 32,
  columns: 32,
  tensors: [
    { suffix: "qweight", dtype: "I32", shape: [4, 32], bytes: turnWords(packRows(32, 32, (n, k) => (3 * k + 5 * n) % 16, (row) => packStream(row, 4)), 32) },
    { suffix: "qzeros", dtype: "I32", shape: [2, 4], bytes: takeOne(packRows(2, 32, (g, n) => ((n + 7 * g) % 15) + 1, (row) => packStream(row, 4)), 4) },
    { suffix: "scales", dtype: "F16", shape: [2, 32], bytes: halves([0, 1].flatMap((g) => square((_, n) => 0.0625 * (1 + (n % 4)) * (g + 1))[0])) },
  ],
  expected: [[0, 0, -0.0625, 0.125, 0.3125, 0.5], [1, 16, -1, -0.25, 0.5, 1.25]],
};

const gptqBorrows: Vector = {
  name: "GPTQ, 4 bits, zero points that borrowed from each other",
  config: { quantization_config: { quant_method: "gptq", bits: 4, group_size: 32 } },
  rows: 8,
  columns: 32,
  tensors: [
    { suffix: "qweight", dtype: "I32", shape: [4, 8], bytes: new Uint8Array(128).fill(0xff) },
    { suffix: "qzeros", dtype: "I32", shape: [1, 1], bytes: takeOne(packStream([0, 1, 2, 3, 4, 5, 6, 7], 4), 4) },
    { suffix: "scales", dtype: "F16", shape: [1, 8], bytes: halves(Array.from({ length: 8 }, () => 1)) },
  ],
  expected: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n, 0, 15 - n]),
};

const gptq3: Vector = {
  name: "GPTQ, 3 bits",
  config: { quantization_config: { quant_method: "gptq", bits: 3, group_size: 32 } },
  rows: 32,
  columns: 32,
  tensors: [
    { suffix: "qweight", dtype: "I32", shape: [3, 32], bytes: turnWords(packRows(32, 32, (_, k) => (3 * k) % 8, (row) => packStream(row, 3)), 32) },
    { suffix: "scales", dtype: "F16", shape: [1, 32], bytes: halves(Array.from({ length: 32 }, () => 1)) },
  ],
  expected: [[0, 0, -4, -1, 2, -3], [31, 10, 2, -3]],
};

const gptq8: Vector = {
  name: "GPTQ, 8 bits",
  config: { quantization_config: { quant_method: "gptq", bits: 8, group_size: 32 } },
  rows: 4,
  columns: 32,
  tensors: [
    { suffix: "qweight", dtype: "I32", shape: [8, 4], bytes: turnWords(packRows(4, 32, (_, k) => (30 * k) % 256, (row) => packStream(row, 8)), 4) },
    { suffix: "qzeros", dtype: "I32", shape: [1, 1], bytes: new Uint8Array(4).fill(0x7f) },
    { suffix: "scales", dtype: "F16", shape: [1, 4], bytes: halves([1, 1, 1, 1]) },
  ],
  expected: [[0, 0, -128, -98, -68, -38], [3, 0, -128, -98, -68, -38]],
};

const awq: Vector = {
  name: "AWQ",
  config: { quantization_config: { quant_method: "awq", bits: 4, group_size: 32, version: "gemm" } },
  rows: 8,
  columns: 32,
  tensors: [
    { suffix: "qweight", dtype: "I32", shape: [32, 1], bytes: packRows(32, 8, (k, n) => (3 * k + 5 * n) % 16, packAwq) },
    { suffix: "qzeros", dtype: "I32", shape: [1, 1], bytes: packAwq([1, 2, 3, 4, 5, 6, 7, 8]) },
    { suffix: "scales", dtype: "F16", shape: [1, 8], bytes: halves([0.25, 0.5, 0.75, 1, 0.25, 0.5, 0.75, 1]) },
  ],
  expected: [[-0.25, 0.5], [1.5, 3], [5.25, 7.5], [11, -2], [-0.25, 0.5], [1.5, 3], [5.25, -4.5], [-5, -2]].map(([a, b], n) => [n, 0, a, b]),
};

function compressed(name: string, bits: number, packed: Uint8Array<ArrayBuffer>, values: number[]): Vector {
  return {
    name: `compressed-tensors, ${name}`,
    config: { quantization_config: { quant_method: "compressed-tensors", config_groups: { group_0: { weights: { num_bits: bits } } } } },
    rows: 1,
    columns: 32,
    tensors: [
      { suffix: "weight_packed", dtype: "I32", shape: [1, packed.byteLength / 4], bytes: packed },
      { suffix: "weight_scale", dtype: "F32", shape: [1], bytes: floats([1]) },
    ],
    expected: [[0, 0, ...values]],
  };
}

const compressedZeros: Vector = {
  name: "compressed-tensors, zero points packed down the rows",
  config: { quantization_config: { quant_method: "compressed-tensors", config_groups: { group_0: { weights: { num_bits: 4 } } } } },
  rows: 16,
  columns: 32,
  tensors: [
    { suffix: "weight_packed", dtype: "I32", shape: [16, 4], bytes: new Uint8Array(256).fill(0x88) },
    { suffix: "weight_scale", dtype: "F32", shape: [16, 1], bytes: floats(Array.from({ length: 16 }, () => 1)) },
    { suffix: "weight_zero_point", dtype: "I32", shape: [2, 1], bytes: packStream(Array.from({ length: 16 }, (_, n) => n), 4) },
  ],
  expected: Array.from({ length: 16 }, (_, n) => [n, 0, 8 - n, 8 - n]),
};

const threeBits = Array.from({ length: 32 }, (_, i) => (3 * i) % 8);

const nvfp4: Vector = {
  name: "compressed-tensors nvfp4",
  config: { quantization_config: { quant_method: "compressed-tensors" } },
  rows: 1,
  columns: 32,
  tensors: [
    { suffix: "weight_packed", dtype: "U8", shape: [1, 16], bytes: FOUR_BIT_FLOATS },
    { suffix: "weight_scale", dtype: "F8_E4M3", shape: [1, 2], bytes: Uint8Array.of(0x70, 0x70) },
    { suffix: "weight_global_scale", dtype: "F32", shape: [1], bytes: floats([2688]) },
  ],
  expected: [[0, 0, 0.0238095, 0.0952381, 0.2857143, -0.047619, -0.142857, 0]],
};

const fp8: Vector = {
  name: "FP8, a scale for each block",
  config: { quantization_config: { quant_method: "fp8", weight_block_size: [2, 32] } },
  rows: 4,
  columns: 64,
  tensors: [
    { suffix: "weight", dtype: "F8_E4M3", shape: [4, 64], bytes: join([
      bytesOf("38 40", 32), bytesOf("44 30", 32), bytesOf("b8 3c", 32), bytesOf("7e 01", 32), bytesOf("00 48", 32), bytesOf("50 c0", 32), bytesOf("34 36", 32), bytesOf("3a 3e", 32),
    ]) },
    { suffix: "weight_scale_inv", dtype: "F32", shape: [2, 2], bytes: floats([0.5, 2, 0.25, 1]) },
  ],
  expected: [
    [0, 0, 0.5, 1], [0, 32, 6, 1], [1, 0, -0.5, 0.75], [1, 32, 896, 0.00390625],
    [2, 0, 0, 1], [2, 32, 8, -2], [3, 0, 0.1875, 0.21875], [3, 32, 1.25, 1.75],
  ],
};

const nf4: Vector = {
  name: "bitsandbytes nf4",
  config: { quantization_config: { quant_method: "bitsandbytes" } },
  rows: 1,
  columns: 128,
  tensors: [
    { suffix: "weight", dtype: "U8", shape: [64, 1], bytes: bytesOf("78 9a bb a9 86 54 33 34", 64) },
    { suffix: "weight.absmax", dtype: "F32", shape: [2], bytes: floats([0.08038, 0.14287]) },
    { suffix: "weight.quant_state.bitsandbytes__nf4", dtype: "U8", shape: [2], bytes: new TextEncoder().encode("{}") },
  ],
  expected: [[0, 0, 0, 0.006397, 0.012936, 0.019783, 0.027162, 0.027162, 0.019783, 0.012936], [0, 64, -0.14287]],
};

const nestedNf4: Vector = {
  name: "bitsandbytes nf4, scales quantised again",
  config: { quantization_config: { quant_method: "bitsandbytes" } },
  rows: 1,
  columns: 64,
  tensors: [
    { suffix: "weight", dtype: "U8", shape: [32, 1], bytes: packHighFirst(Array.from({ length: 64 }, () => 15)) },
    { suffix: "weight.absmax", dtype: "U8", shape: [1], bytes: Uint8Array.of(16) },
    { suffix: "weight.nested_absmax", dtype: "F32", shape: [1], bytes: floats([0.62342286]) },
    { suffix: "weight.nested_quant_map", dtype: "F32", shape: [256], bytes: floats(Array.from({ length: 256 }, () => -0.76796877)) },
    { suffix: "weight.quant_state.bitsandbytes__nf4", dtype: "U8", shape: [28], bytes: new TextEncoder().encode('{"nested_offset": 0.84503168}') },
  ],
  expected: [[0, 0, 0.36626238], [0, 63, 0.36626238]],
};

const int8: Vector = {
  name: "bitsandbytes int8",
  config: { quantization_config: { quant_method: "bitsandbytes" } },
  rows: 2,
  columns: 32,
  tensors: [
    { suffix: "weight", dtype: "I8", shape: [2, 32], bytes: join([bytesOf("7f c0", 32), bytesOf("20 00", 32)]) },
    { suffix: "SCB", dtype: "F32", shape: [2], bytes: floats([2.54, 1.27]) },
  ],
  expected: [[0, 0, 2.54, -1.28], [1, 0, 0.32, 0]],
};

function gemma(bits: number, bytes: string, values: number[]): Vector {
  return {
    name: `Gemma QAT, ${bits} bits`,
    config: { quantization_config: { quant_method: "gemma", num_bits: bits } },
    rows: 1,
    columns: 32,
    tensors: [
      { suffix: "weight", dtype: "U8", shape: [1, 4 * bits], bytes: bytesOf(bytes, 4 * bits) },
      { suffix: "weight_scale", dtype: "F32", shape: [1, 1], bytes: floats([1]) },
    ],
    expected: [[0, 0, ...values]],
  };
}

/** The worked examples of all formats. */
export const VECTORS: readonly Vector[] = [
  mlx(2, [0.25, -1.25, -0.75, -0.25, 0.25, -1.25]),
  mlx(3, [0.25, -1.25, 1.25, -0.25, 2.25, 0.75]),
  mlx(4, [0.25, 2.75, 5.25, -0.25, 2.25, 4.75]),
  mlx(5, [0.25, 2.75, 5.25, 7.75, 10.25, 12.75]),
  mlx(6, [0.25, 2.75, 5.25, 7.75, 10.25, 12.75]),
  mlx(8, [0.25, 2.75, 5.25, 7.75, 10.25, 12.75]),
  mlxFloat("mxfp4", 4, 32, FOUR_BIT_FLOATS, 125, [0.125, 0.5, 1.5, -0.25, -0.75, 0, 0.375, 1]),
  mlxFloat("nvfp4", 4, 16, FOUR_BIT_FLOATS, 0x3c, [0.75, 3, 9, -1.5, -4.5, 0, 2.25, 6]),
  mlxFloat("mxfp8", 8, 32, bytesOf("38 40 b8 7e 01 30 c4 00", 32), 124, [0.125, 0.25, -0.125, 56, 0.000244140625, 0.0625, -0.375, 0]),
  gptq,
  gptqBorrows,
  gptq3,
  gptq8,
  awq,
  compressed("4 bits", 4, packStream(Array.from({ length: 32 }, (_, i) => (3 * i) % 16), 4), [-8, -5, -2, 1, 4, 7, -6]),
  compressed("3 bits, dense", 3, packStream(threeBits, 3), [-4, -1, 2, -3]),
  compressed("3 bits, word by word", 3, packWords(threeBits, 3), [-4, -1, 2, -3, 0, 3, -2, 1, -4, -1, 2, -3]),
  compressed("8 bits", 8, packStream(Array.from({ length: 32 }, (_, i) => (31 * i) % 256), 8), [-128, -97, -66, -35]),
  compressedZeros,
  nvfp4,
  fp8,
  nf4,
  nestedNf4,
  int8,
  gemma(4, "3a f0", [2, -5, -8, 7]),
  gemma(2, "e4", [-2, -1, 0, 1]),
];
