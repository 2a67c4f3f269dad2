import { decodeE4m3, E2M1, FP4, NF4, packHighFirst, packRows, packStream } from "../reference/packers.ts";
import { type FormatCase, floats, randomCodes, randomScales, weightsOf } from "./stored_module.ts";

/** 8-bit floats. */
export function fp8(name: string, method: string, suffix: string, grid: "matrix" | "row" | "block", dtype: "F32" | "BF16"): FormatCase {
  return {
    name,
    config: { quantization_config: { quant_method: method, weight_block_size: grid === "block" ? [128, 128] : null } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 256).map((code) => code & 0xbf);
      const [down, across] = grid === "block" ? [Math.ceil(rows / 128), Math.ceil(columns / 128)] : [grid === "row" ? rows : 1, 1];
      const scales = floats(dtype, randomScales(random, down * across, 1 / Math.sqrt(columns)));
      const place = (n: number, k: number) => (grid === "block" ? Math.floor(n / 128) * across + Math.floor(k / 128) : grid === "row" ? n : 0);
      return {
        weights: weightsOf(rows, columns, (n, k) => decodeE4m3(codes[n * columns + k]) * scales.values[place(n, k)]),
        tensors: [
          { suffix: "weight", dtype: "F8_E4M3", shape: [rows, columns], bytes: Uint8Array.from(codes) },
          { suffix, dtype, shape: grid === "matrix" ? [] : [down, across], bytes: scales.bytes },
        ],
      };
    },
  };
}

/** 4-bit floats with scales in 8-bit floats and one for all. */
export function nvfp4(name: string, method: string, names: { codes: string; global: string }, divides: boolean): FormatCase {
  return {
    name,
    config: { quantization_config: { quant_method: method } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 16);
      const groups = columns / 16;
      const scaleCodes = Array.from({ length: rows * groups }, () => 0x60 + random.integer(24));
      const global = Math.fround(divides ? 1700.5 : 1 / 1700.5);
      const factor = divides ? 1 / global : global;
      return {
        weights: weightsOf(rows, columns, (n, k) => E2M1[codes[n * columns + k]] * decodeE4m3(scaleCodes[n * groups + Math.floor(k / 16)]) * factor),
        tensors: [
          { suffix: names.codes, dtype: "U8", shape: [rows, columns / 2], bytes: packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => packStream(row, 4)) },
          { suffix: "weight_scale", dtype: "F8_E4M3", shape: [rows, groups], bytes: Uint8Array.from(scaleCodes) },
          { suffix: names.global, dtype: "F32", shape: divides ? [1] : [], bytes: new Uint8Array(Float32Array.of(global).buffer) },
        ],
      };
    },
  };
}

/** bitsandbytes at 4 bits. */
export function bitsandbytes(type: "nf4" | "fp4", nested: boolean): FormatCase {
  const book = type === "nf4" ? NF4 : FP4;
  return {
    name: `bitsandbytes ${type}${nested ? ", scales quantised again" : ""}`,
    config: { quantization_config: { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_quant_type: type, bnb_4bit_use_double_quant: nested } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 16);
      const blocks = (rows * columns) / 64;
      const bytes = randomCodes(random, blocks, 256);
      const map = Array.from({ length: 256 }, (_, i) => Math.fround((i - 127) / 128));
      const outer = Array.from({ length: Math.ceil(blocks / 256) }, () => Math.fround((0.5 + random.integer(100) / 200) / Math.sqrt(columns)));
      const offset = Math.fround(2.1 / Math.sqrt(columns));
      const plain = floats("F32", randomScales(random, blocks, 2 / Math.sqrt(columns)));
      const absmax = (block: number) => (nested ? map[bytes[block]] * outer[Math.floor(block / 256)] + offset : plain.values[block]);
      const state = { quant_type: type, blocksize: 64, dtype: "bfloat16", shape: [rows, columns], ...(nested ? { nested_blocksize: 256, nested_dtype: "float32", nested_offset: offset } : {}) };
      const stateBytes = new TextEncoder().encode(JSON.stringify(state));
      const float32 = (suffix: string, values: readonly number[]) => ({ suffix, dtype: "F32", shape: [values.length], bytes: new Uint8Array(Float32Array.from(values).buffer) });
      return {
        weights: weightsOf(rows, columns, (n, k) => book[codes[n * columns + k]] * absmax(Math.floor((n * columns + k) / 64))),
        tensors: [
          { suffix: "weight", dtype: "U8", shape: [(rows * columns) / 2, 1], bytes: packHighFirst(codes) },
          nested ? { suffix: "weight.absmax", dtype: "U8", shape: [blocks], bytes: Uint8Array.from(bytes) } : float32("weight.absmax", plain.values),
          float32("weight.quant_map", book),
          ...(nested ? [float32("weight.nested_absmax", outer), float32("weight.nested_quant_map", map)] : []),
          { suffix: `weight.quant_state.bitsandbytes__${type}`, dtype: "U8", shape: [stateBytes.byteLength], bytes: stateBytes },
        ],
      };
    },
  };
}

/** 4-bit or 8-bit floats with a power of two for every 32, as compressed-tensors stores them. */
export function mx(bits: 4 | 8): FormatCase {
  return {
    name: `compressed-tensors mxfp${bits}`,
    config: { quantization_config: { quant_method: "compressed-tensors" } },
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 2 ** bits).map((code) => (bits === 8 ? code & 0xbf : code));
      const groups = columns / 32;
      const exponents = randomCodes(random, rows * groups, 4).map((code) => 121 + code);
      const value = (code: number) => (bits === 8 ? decodeE4m3(code) : E2M1[code]);
      const bytes = packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => packStream(row, bits));
      return {
        weights: weightsOf(rows, columns, (n, k) => value(codes[n * columns + k]) * 2 ** (exponents[n * groups + Math.floor(k / 32)] - 127)),
        tensors: [
          bits === 8 ? { suffix: "weight", dtype: "F8_E4M3", shape: [rows, columns], bytes } : { suffix: "weight_packed", dtype: "U8", shape: [rows, columns / 2], bytes },
          { suffix: "weight_scale", dtype: "U8", shape: [rows, groups], bytes: Uint8Array.from(exponents) },
        ],
      };
    },
  };
}
