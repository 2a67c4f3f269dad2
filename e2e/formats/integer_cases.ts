import { packAwq, packRows, packStream, packWords, takeOne, turnWords } from "../reference/packers.ts";
import { type FormatCase, floats, int32, randomCodes, randomScales, scaleSize, weightsOf } from "./stored_module.ts";

interface GptqOptions {
  bits: number;
  group: number;
  version: 1 | 2;
  sym?: boolean;
  actOrder?: boolean;
  config: Record<string, unknown>;
}

/** GPTQ and what packs like it. */
export function gptq(name: string, { bits, group, version, sym, actOrder, config }: GptqOptions): FormatCase {
  return {
    name,
    config: { quantization_config: { bits, group_size: group, sym, desc_act: actOrder ?? false, ...config } },
    isRounded: actOrder === true || group % 32 !== 0,
    pack: (random, rows, columns) => {
      const size = group < 0 ? columns : group;
      const groups = Math.ceil(columns / size);
      const codes = randomCodes(random, rows * columns, 2 ** bits);
      const scales = floats("F16", randomScales(random, groups * rows, scaleSize(columns, bits)));
      const middle = 2 ** (bits - 1);
      const zeros = Array.from({ length: groups * rows }, () => (sym ? middle : middle - 1 + random.integer(3)));
      const order = random.permutation(columns);
      const groupOf = (column: number) => Math.floor((actOrder ? order[column] : column) / size);
      const list = Array.from({ length: columns }, (_, column) => groupOf(column));
      const packedZeros = packRows(groups, rows, (g, n) => zeros[g * rows + n], (row) => packStream(row, bits));
      const storedZeros = version === 2 ? packedZeros : bits === 3
        ? packRows(groups, rows, (g, n) => zeros[g * rows + n] - 1, (row) => packStream(row, bits))
        : takeOne(packedZeros, bits);
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[groupOf(k) * rows + n] * (codes[n * columns + k] - zeros[groupOf(k) * rows + n])),
        tensors: [
          { suffix: "qweight", dtype: "I32", shape: [(columns * bits) / 32, rows], bytes: turnWords(packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => packStream(row, bits)), rows) },
          { suffix: "qzeros", dtype: "I32", shape: [groups, (rows * bits) / 32], bytes: storedZeros },
          { suffix: "scales", dtype: "F16", shape: [groups, rows], bytes: scales.bytes },
          { suffix: "g_idx", dtype: "I32", shape: [columns], bytes: int32(list) },
        ],
      };
    },
  };
}

/** AWQ, gemm. */
export const awq: FormatCase = {
  name: "AWQ gemm",
  config: { quantization_config: { quant_method: "awq", bits: 4, group_size: 64, zero_point: true, version: "GEMM" } },
  pack: (random, rows, columns) => {
    const groups = columns / 64;
    const codes = randomCodes(random, rows * columns, 16);
    const scales = floats("F16", randomScales(random, groups * rows, scaleSize(columns, 4)));
    const zeros = Array.from({ length: groups * rows }, () => 6 + random.integer(4));
    const place = (n: number, k: number) => Math.floor(k / 64) * rows + n;
    return {
      weights: weightsOf(rows, columns, (n, k) => scales.values[place(n, k)] * (codes[n * columns + k] - zeros[place(n, k)])),
      tensors: [
        { suffix: "qweight", dtype: "I32", shape: [columns, rows / 8], bytes: packRows(columns, rows, (k, n) => codes[n * columns + k], packAwq) },
        { suffix: "qzeros", dtype: "I32", shape: [groups, rows / 8], bytes: packRows(groups, rows, (g, n) => zeros[g * rows + n], packAwq) },
        { suffix: "scales", dtype: "F16", shape: [groups, rows], bytes: scales.bytes },
      ],
    };
  },
};

interface PackedOptions {
  bits: number;
  /** Columns of a group; 0 for whole rows. */
  group: number;
  symmetric: boolean;
  dtype: "BF16" | "F16";
  wordByWord?: boolean;
  /** Columns are grouped in an order of their own. */
  actOrder?: boolean;
}

/** compressed-tensors' pack-quantized. */
export function compressedIntegers(name: string, { bits, group, symmetric, dtype, wordByWord, actOrder = false }: PackedOptions): FormatCase {
  const weights = { num_bits: bits, type: "int", symmetric, strategy: group ? "group" : "channel", group_size: group || null };
  return {
    name,
    config: { quantization_config: { quant_method: "compressed-tensors", format: "pack-quantized", config_groups: { group_0: { targets: ["Linear"], weights } } } },
    isRounded: actOrder,
    pack: (random, rows, columns) => {
      const size = group || columns;
      const groups = columns / size;
      const middle = 2 ** (bits - 1);
      const codes = randomCodes(random, rows * columns, 2 ** bits);
      const scales = floats(dtype, randomScales(random, rows * groups, scaleSize(columns, bits)));
      const zeros = Array.from({ length: rows * groups }, () => (symmetric ? middle : middle - 1 + random.integer(3)));
      const order = random.permutation(columns);
      const groupOf = (k: number) => Math.floor((actOrder ? order[k] : k) / size);
      const place = (n: number, k: number) => n * groups + groupOf(k);
      const bytes = packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => (wordByWord ? packWords(row, bits) : packStream(row, bits)));
      const turned = turnWords(packRows(groups, rows, (g, n) => zeros[n * groups + g], (row) => packStream(row, bits)), groups);
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[place(n, k)] * (codes[n * columns + k] - zeros[place(n, k)])),
        tensors: [
          { suffix: "weight_packed", dtype: "I32", shape: [rows, bytes.byteLength / 4 / rows], bytes },
          { suffix: "weight_scale", dtype, shape: [rows, groups], bytes: scales.bytes },
          { suffix: "weight_shape", dtype: "I64", shape: [2], bytes: new Uint8Array(BigInt64Array.of(BigInt(rows), BigInt(columns)).buffer) },
          ...(symmetric ? [] : [{ suffix: "weight_zero_point", dtype: "I32", shape: [(rows * bits) / 32, groups], bytes: turned }]),
          ...(actOrder ? [{ suffix: "weight_g_idx", dtype: "I32", shape: [columns], bytes: int32(Array.from({ length: columns }, (_, k) => groupOf(k))) }] : []),
        ],
      };
    },
  };
}

/** compressed-tensors' int-quantized. */
export function signedBytes(name: string, symmetric: boolean): FormatCase {
  return {
    name,
    config: { quantization_config: { quant_method: "compressed-tensors", format: "int-quantized", config_groups: { group_0: { targets: ["Linear"] } } } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 256).map((code) => code - 128);
      const scales = floats("BF16", randomScales(random, rows, scaleSize(columns, 8)));
      const zeros = Array.from({ length: rows }, () => (symmetric ? 0 : random.integer(9) - 4));
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[n] * (codes[n * columns + k] - zeros[n])),
        tensors: [
          { suffix: "weight", dtype: "I8", shape: [rows, columns], bytes: new Uint8Array(Int8Array.from(codes).buffer) },
          { suffix: "weight_scale", dtype: "BF16", shape: [rows, 1], bytes: scales.bytes },
          ...(symmetric ? [] : [{ suffix: "weight_zero_point", dtype: "I8", shape: [rows, 1], bytes: new Uint8Array(Int8Array.from(zeros).buffer) }]),
        ],
      };
    },
  };
}

/** bitsandbytes at 8 bits. */
export const bitsandbytesInt8: FormatCase = {
  name: "bitsandbytes int8",
  config: { quantization_config: { quant_method: "bitsandbytes", load_in_8bit: true } },
  pack: (random, rows, columns) => {
    const codes = randomCodes(random, rows * columns, 255).map((code) => code - 127);
    const largest = floats("F32", randomScales(random, rows, 2 / Math.sqrt(columns)));
    return {
      weights: weightsOf(rows, columns, (n, k) => (codes[n * columns + k] * largest.values[n]) / 127),
      tensors: [
        { suffix: "weight", dtype: "I8", shape: [rows, columns], bytes: new Uint8Array(Int8Array.from(codes).buffer) },
        { suffix: "SCB", dtype: "F32", shape: [rows], bytes: largest.bytes },
        { suffix: "weight_format", dtype: "U8", shape: [], bytes: Uint8Array.of(0) },
      ],
    };
  },
};

/** GPTQ at two widths and two group sizes, told by the tensors alone. */
export const gptqMixed: FormatCase = {
  name: "GPTQ, 4 and 8 bits",
  config: { quantization_config: { quant_method: "gptq", bits: 4, group_size: 64 } },
  pack: (random, rows, columns, module) => {
    const [bits, group] = module.endsWith("up_proj") ? [8, 32] : [4, 64];
    return gptq("", { bits, group, version: 1, config: {} }).pack(random, rows, columns, module);
  },
};

/** Gemma's quantisation-aware checkpoints. */
export function gemma(bits: 2 | 4 | 8): FormatCase {
  return {
    name: `Gemma QAT, ${bits} bits`,
    config: { quantization_config: { quant_method: "gemma", num_bits: bits } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 2 ** bits);
      const middle = 2 ** (bits - 1);
      const scales = floats("F32", randomScales(random, rows, scaleSize(columns, bits)));
      const stored = bits === 8 ? codes.map((code) => (code + 128) % 256) : codes;
      return {
        weights: weightsOf(rows, columns, (n, k) => (codes[n * columns + k] - middle) * scales.values[n]),
        tensors: [
          { suffix: "weight", dtype: bits === 8 ? "I8" : "U8", shape: [rows, (columns * bits) / 8], bytes: packRows(rows, columns, (n, k) => stored[n * columns + k], (row) => packStream(row, bits)) },
          { suffix: "weight_scale", dtype: "F32", shape: [rows, 1], bytes: scales.bytes },
          { suffix: "input_activation_scale", dtype: "F32", shape: [], bytes: new Uint8Array(4) },
        ],
      };
    },
  };
}
