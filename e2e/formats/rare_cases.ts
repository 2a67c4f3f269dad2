import { decodeE4m3, E2M1, packPlanes, packRows, packStream } from "../reference/packers.ts";
import { type FormatCase, floats, randomCodes, randomScales, scaleSize, type StoredTensor, weightsOf } from "./stored_module.ts";

const scalar = (suffix: string, value: number): StoredTensor => ({ suffix, dtype: "U8", shape: [], bytes: Uint8Array.of(value) });

/** gpt-oss's experts, here as one matrix of two stacked ones. */
export const mxfp4Blocks: FormatCase = {
  name: "mxfp4 of gpt-oss",
  config: { quantization_config: { quant_method: "mxfp4", modules_to_not_convert: ["lm_head"] } },
  pack: (random, rows, columns) => {
    const codes = randomCodes(random, rows * columns, 16);
    const groups = columns / 32;
    const exponents = randomCodes(random, rows * groups, 4).map((code) => 121 + code);
    const bytes = packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => packStream(row, 4));
    return {
      weights: weightsOf(rows, columns, (n, k) => E2M1[codes[n * columns + k]] * 2 ** (exponents[n * groups + Math.floor(k / 32)] - 127)),
      tensors: [
        { suffix: "_blocks", attached: true, dtype: "U8", shape: [2, rows / 2, groups, 16], bytes },
        { suffix: "_scales", attached: true, dtype: "U8", shape: [2, rows / 2, groups], bytes: Uint8Array.from(exponents) },
      ],
    };
  },
};

/** BitNet, quantised offline. */
export function bitnet(linearClass: "autobitlinear" | undefined): FormatCase {
  return {
    name: `BitNet ${linearClass ?? "bitlinear"}`,
    config: { quantization_config: { quant_method: "bitnet", linear_class: linearClass, quantization_mode: "offline" } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 3);
      const size = (0.7 + random.integer(100) / 100) / Math.sqrt(columns);
      const scale = floats("BF16", [linearClass ? size : 1 / size]);
      const factor = linearClass ? scale.values[0] : 1 / scale.values[0];
      return {
        weights: weightsOf(rows, columns, (n, k) => (codes[n * columns + k] - 1) * factor),
        tensors: [
          { suffix: "weight", dtype: "U8", shape: [rows / 4, columns], bytes: packPlanes(codes, 2, "low") },
          { suffix: "weight_scale", dtype: "BF16", shape: [1], bytes: scale.bytes },
        ],
      };
    },
  };
}

/** HQQ in groups along the rows, as transformers saves it. */
export function hqq(bits: 2 | 4 | 8): FormatCase {
  return {
    name: `HQQ, ${bits} bits`,
    config: { quantization_config: { quant_method: "hqq", quant_config: { weight_quant_params: { nbits: bits, group_size: 64, axis: 1 } }, skip_modules: ["lm_head"] } },
    pack: (random, rows, columns) => {
      const groups = (rows * columns) / 64;
      const codes = randomCodes(random, rows * columns, 2 ** bits);
      const scales = floats("F16", randomScales(random, groups, scaleSize(columns, bits)));
      const zeros = floats("F16", Array.from({ length: groups }, () => 2 ** (bits - 1) - 1 + random.integer(1000) / 500));
      const place = (n: number, k: number) => Math.floor((n * columns + k) / 64);
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[place(n, k)] * (codes[n * columns + k] - zeros.values[place(n, k)])),
        tensors: [
          { suffix: "W_q", dtype: "U8", shape: [(groups * bits) / 8, 64], bytes: packPlanes(codes, bits, "high") },
          { suffix: "scale", dtype: "F16", shape: [groups, 1], bytes: scales.bytes },
          { suffix: "zero", dtype: "F16", shape: [groups, 1], bytes: zeros.bytes },
          ...["nbits", "group_size", "axis", "view_as_float", "quant_scale", "quant_zero", "encoded_state_dict", "stores_quant_config"].map((name) => scalar(name, 1)),
          { suffix: "packing", dtype: "U8", shape: [7], bytes: new TextEncoder().encode("4bit_u8") },
        ],
      };
    },
  };
}

/** quanto at 2 and 4 bits. */
export function quantoBits(bits: 2 | 4, group: number): FormatCase {
  return {
    name: `quanto int${bits}`,
    config: {},
    pack: (random, rows, columns) => {
      const groups = (rows * columns) / group;
      const codes = randomCodes(random, rows * columns, 2 ** bits);
      const scales = floats("BF16", randomScales(random, groups, scaleSize(columns, bits)));
      const shifts = floats("BF16", scales.values.map((scale) => scale * (2 ** (bits - 1) - 0.3)));
      const place = (n: number, k: number) => Math.floor((n * columns + k) / group);
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[place(n, k)] * codes[n * columns + k] - shifts.values[place(n, k)]),
        tensors: [
          { suffix: "weight._data._data", dtype: "U8", shape: [(groups * bits) / 8, group], bytes: packPlanes(codes, bits, "low") },
          { suffix: "weight._scale", dtype: "BF16", shape: [groups, 1], bytes: scales.bytes },
          { suffix: "weight._shift", dtype: "BF16", shape: [groups, 1], bytes: shifts.bytes },
          ...calibration(),
        ],
      };
    },
  };
}

/** quanto's calibration of activations, which is there even where they are not quantised. */
function calibration(): StoredTensor[] {
  return ["input_scale", "output_scale"].map((suffix) => ({ suffix, dtype: "F32", shape: [], bytes: new Uint8Array(Float32Array.of(1).buffer) }));
}

/** quanto at 8 bits, integers or floats. */
export function quantoBytes(kind: "int8" | "float8"): FormatCase {
  return {
    name: `quanto ${kind}`,
    config: {},
    pack: (random, rows, columns) => {
      const bytes = randomCodes(random, rows * columns, 256).map((code) => (kind === "float8" ? code & 0xbf : code));
      const value = kind === "float8" ? decodeE4m3 : (code: number) => (code < 128 ? code : code - 256);
      const scales = floats("BF16", randomScales(random, rows, kind === "float8" ? 1 / Math.sqrt(columns) : scaleSize(columns, 8)));
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[n] * value(bytes[n * columns + k])),
        tensors: [
          { suffix: "weight._data", dtype: kind === "float8" ? "F8_E4M3" : "I8", shape: [rows, columns], bytes: Uint8Array.from(bytes) },
          { suffix: "weight._scale", dtype: "BF16", shape: [rows, 1], bytes: scales.bytes },
          ...calibration(),
        ],
      };
    },
  };
}

const TORCHAO = { quantization_config: { quant_method: "torchao", quant_type: { default: { _type: "Int4WeightOnlyConfig" } } } };

/** torchao's Int4Tensor. */
export const torchaoInt4: FormatCase = {
  name: "torchao int4",
  config: TORCHAO,
  pack: (random, rows, columns) => {
    const groups = columns / 64;
    const codes = randomCodes(random, rows * columns, 16);
    const scales = floats("BF16", randomScales(random, groups * rows, scaleSize(columns, 4)));
    const offsets = floats("BF16", scales.values.map((scale) => scale * (0.5 - random.integer(100) / 100)));
    const place = (n: number, k: number) => Math.floor(k / 64) * rows + n;
    return {
      weights: weightsOf(rows, columns, (n, k) => scales.values[place(n, k)] * (codes[n * columns + k] - 8) + offsets.values[place(n, k)]),
      tensors: [
        { suffix: "_weight_qdata", dtype: "I8", shape: [rows, columns / 2], bytes: packRows(rows, columns, (n, k) => codes[n * columns + k] ^ 8, (row) => packStream(row, 4)) },
        { suffix: "_weight_scale", dtype: "BF16", shape: [groups, rows], bytes: scales.bytes },
        { suffix: "_weight_zero_point", dtype: "BF16", shape: [groups, rows], bytes: offsets.bytes },
      ],
    };
  },
};

/** torchao's IntxUnpackedToInt8Tensor, with zero points in bytes or in floats. */
export function torchaoIntx(zeroType: "I8" | "BF16"): FormatCase {
  return {
    name: `torchao intx, zero points in ${zeroType}`,
    config: TORCHAO,
    pack: (random, rows, columns) => {
      const groups = columns / 32;
      const codes = randomCodes(random, rows * columns, 256).map((code) => code - 128);
      const scales = floats("F32", randomScales(random, rows * groups, scaleSize(columns, 8)));
      const zeros = Array.from({ length: rows * groups }, () => random.integer(5) - 2);
      const place = (n: number, k: number) => n * groups + Math.floor(k / 32);
      const zeroBytes = zeroType === "I8" ? new Uint8Array(Int8Array.from(zeros).buffer) : floats("BF16", zeros).bytes;
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[place(n, k)] * (codes[n * columns + k] - zeros[place(n, k)])),
        tensors: [
          { suffix: "_weight_qdata", dtype: "I8", shape: [rows, columns], bytes: new Uint8Array(Int8Array.from(codes).buffer) },
          { suffix: "_weight_scale", dtype: "F32", shape: [rows, groups], bytes: scales.bytes },
          { suffix: "_weight_zero_point", dtype: zeroType, shape: [rows, groups], bytes: zeroBytes },
        ],
      };
    },
  };
}

/** torchao's Int8Tensor and Float8Tensor, with a scale for each row. */
export function torchaoBytes(kind: "int8" | "float8"): FormatCase {
  const { pack } = quantoBytes(kind);
  const suffixes: Readonly<Record<string, string>> = { "weight._data": "_weight_qdata", "weight._scale": "_weight_scale" };
  return {
    name: `torchao ${kind}`,
    config: TORCHAO,
    pack: (random, rows, columns, module) => {
      const { weights, tensors } = pack(random, rows, columns, module);
      return { weights, tensors: tensors.flatMap((tensor) => (suffixes[tensor.suffix] ? { ...tensor, suffix: suffixes[tensor.suffix] } : [])) };
    },
  };
}
