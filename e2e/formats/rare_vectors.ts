import { bytesOf, floats, FOUR_BIT_FLOATS, type Vector } from "./vectors.ts";

const mxfp4Blocks: Vector = {
  name: "mxfp4 of gpt-oss",
  config: { quantization_config: { quant_method: "mxfp4" } },
  rows: 1,
  columns: 32,
  tensors: [
    { suffix: "_blocks", attached: true, dtype: "U8", shape: [1, 1, 1, 16], bytes: FOUR_BIT_FLOATS },
    { suffix: "_scales", attached: true, dtype: "U8", shape: [1, 1, 1], bytes: Uint8Array.of(125) },
  ],
  expected: [[0, 0, 0.125, 0.5, 1.5, -0.25, -0.75, 0, 0.375, 1]],
};

/** The example in transformers' own code, where two columns are shown; here with a scale of 2. */
function bitnet(linearClass: string, factor: number): Vector {
  const ternary = [[0, -1], [-1, 1], [-1, 1], [-1, 1], [1, 0], [0, -1], [1, -1], [1, -1]];
  return {
    name: `BitNet ${linearClass}`,
    config: { quantization_config: { quant_method: "bitnet", linear_class: linearClass } },
    rows: 8,
    columns: 32,
    tensors: [
      { suffix: "weight", dtype: "U8", shape: [2, 32], bytes: new Uint8Array([...bytesOf("a1 18", 32), ...bytesOf("90 0a", 32)]) },
      { suffix: "weight_scale", dtype: "BF16", shape: [1], bytes: bytesOf("00 40", 2) },
    ],
    expected: ternary.map(([a, b], n) => [n, 0, a * factor, b * factor]),
  };
}

const hqq: Vector = {
  name: "HQQ, 4 bits",
  config: { quantization_config: { quant_method: "hqq" } },
  rows: 4,
  columns: 32,
  tensors: [
    { suffix: "W_q", dtype: "U8", shape: [2, 32], bytes: new Uint8Array([...bytesOf("37 48", 32), ...bytesOf("59 6a", 32)]) },
    { suffix: "scale", dtype: "F32", shape: [4, 1], bytes: floats([1, 1, 1, 2]) },
    { suffix: "zero", dtype: "F32", shape: [4, 1], bytes: floats([0, 0, 0.25, 0.5]) },
  ],
  expected: [[0, 0, 3, 4], [1, 0, 5, 6], [2, 0, 6.75, 7.75], [3, 0, 17, 19]],
};

function quanto(bits: number, bytes: string, values: number[]): Vector {
  return {
    name: `quanto int${bits}`,
    config: {},
    rows: values.length,
    columns: 32,
    tensors: [
      { suffix: "weight._data._data", dtype: "U8", shape: [1, 32], bytes: bytesOf(bytes, 32) },
      { suffix: "weight._scale", dtype: "F32", shape: [values.length, 1], bytes: floats(values.map(() => 0.5)) },
      { suffix: "weight._shift", dtype: "F32", shape: [values.length, 1], bytes: floats(values.map(() => 0.75)) },
    ],
    expected: values.map((value, n) => [n, 0, 0.5 * value - 0.75]),
  };
}

const torchaoInt4: Vector = {
  name: "torchao int4",
  config: { quantization_config: { quant_method: "torchao" } },
  rows: 1,
  columns: 32,
  tensors: [
    { suffix: "_weight_qdata", dtype: "I8", shape: [1, 16], bytes: bytesOf("78 f1", 16) },
    { suffix: "_weight_scale", dtype: "F32", shape: [1, 1], bytes: floats([0.5]) },
    { suffix: "_weight_zero_point", dtype: "F32", shape: [1, 1], bytes: floats([0.25]) },
  ],
  expected: [[0, 0, -3.75, 3.75, 0.75, -0.25, 0.25]],
};

/** Every 4-bit code of bitsandbytes' tables, in order. */
function codebook(type: "nf4" | "fp4", values: number[]): Vector {
  return {
    name: `bitsandbytes ${type}, every code`,
    config: { quantization_config: { quant_method: "bitsandbytes" } },
    rows: 1,
    columns: 64,
    tensors: [
      { suffix: "weight", dtype: "U8", shape: [32, 1], bytes: bytesOf("01 23 45 67 89 ab cd ef", 32) },
      { suffix: "weight.absmax", dtype: "F32", shape: [1], bytes: floats([1]) },
      { suffix: `weight.quant_state.bitsandbytes__${type}`, dtype: "U8", shape: [2], bytes: new TextEncoder().encode("{}") },
    ],
    expected: [[0, 0, ...values]],
  };
}

const everyE2m1: Vector = {
  name: "4-bit floats, every code",
  config: { quantization_config: { quant_method: "compressed-tensors" } },
  rows: 1,
  columns: 32,
  tensors: [
    { suffix: "weight_packed", dtype: "U8", shape: [1, 16], bytes: bytesOf("10 32 54 76 98 ba dc fe", 16) },
    { suffix: "weight_scale", dtype: "U8", shape: [1, 1], bytes: Uint8Array.of(127) },
  ],
  expected: [[0, 0, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]],
};

const someE4m3: Vector = {
  name: "8-bit floats and powers of two",
  config: { quantization_config: { quant_method: "compressed-tensors" } },
  rows: 1,
  columns: 128,
  tensors: [
    { suffix: "weight", dtype: "F8_E4M3", shape: [1, 128], bytes: new Uint8Array(["38", "38", "01 07 08 38 3c 40 7e 80 b8 fe", "38"].flatMap((hex) => [...bytesOf(hex, 32)])) },
    { suffix: "weight_scale", dtype: "U8", shape: [1, 4], bytes: Uint8Array.of(120, 126, 127, 128) },
  ],
  expected: [[0, 0, 0.0078125], [0, 32, 0.5], [0, 64, 0.001953125, 0.013671875, 0.015625, 1, 1.5, 2, 448, 0, -1, -448], [0, 96, 2]],
};

const modelopt: Vector = {
  name: "ModelOpt nvfp4",
  config: { quantization_config: { quant_method: "modelopt" } },
  rows: 1,
  columns: 32,
  tensors: [
    { suffix: "weight", dtype: "U8", shape: [1, 16], bytes: FOUR_BIT_FLOATS },
    { suffix: "weight_scale", dtype: "F8_E4M3", shape: [1, 2], bytes: Uint8Array.of(0x70, 0x70) },
    { suffix: "weight_scale_2", dtype: "F32", shape: [], bytes: floats([1 / 2688]) },
    { suffix: "input_scale", dtype: "F32", shape: [], bytes: floats([1]) },
  ],
  expected: [[0, 0, 0.0238095, 0.0952381, 0.2857143, -0.047619, -0.142857, 0]],
};

const NF4 = [-1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0, 0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1];
const FP4 = [0, 0.0052083335, 0.6666667, 1, 0.33333334, 0.5, 0.16666667, 0.25];

/** The worked examples of rarer formats, and tables of small floats. */
export const RARE_VECTORS: readonly Vector[] = [
  mxfp4Blocks,
  bitnet("autobitlinear", 2),
  bitnet("bitlinear", 0.5),
  hqq,
  quanto(2, "e4", [0, 1, 2, 3]),
  quanto(4, "b5", [5, 11]),
  torchaoInt4,
  codebook("nf4", NF4),
  codebook("fp4", [...FP4, ...FP4.map((value) => -value)]),
  everyE2m1,
  someE4m3,
  modelopt,
];
