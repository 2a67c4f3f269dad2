import { decodeE4m3, E2M1, packRows, packStream } from "../reference/packers.ts";
import { type FormatCase, floats, randomCodes, randomScales, scaleSize, weightsOf } from "./stored_module.ts";

/** MLX affine, with scales of both signs. */
export function mlxAffine(bits: number, group: number, dtype: "F16" | "BF16"): FormatCase {
  return {
    name: `MLX affine, ${bits} bits`,
    config: { quantization: { bits, group_size: group } },
    packsEmbedding: true,
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 2 ** bits);
      const groups = columns / group;
      const signs = randomScales(random, rows * groups, scaleSize(columns, bits)).map((scale) => (random.integer(2) ? scale : -scale));
      const scales = floats(dtype, signs);
      const biases = floats(dtype, scales.values.map((scale) => -scale * (2 ** (bits - 1) - 0.4)));
      const groupOf = (row: number, column: number) => row * groups + Math.floor(column / group);
      return {
        weights: weightsOf(rows, columns, (n, k) => scales.values[groupOf(n, k)] * codes[n * columns + k] + biases.values[groupOf(n, k)]),
        tensors: [
          { suffix: "weight", dtype: "U32", shape: [rows, (columns * bits) / 32], bytes: packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => packStream(row, bits)) },
          { suffix: "scales", dtype, shape: [rows, groups], bytes: scales.bytes },
          { suffix: "biases", dtype, shape: [rows, groups], bytes: biases.bytes },
        ],
      };
    },
  };
}

/** The same layout as transformers saves it for Apple's GPUs, under names of its own. */
export function metal(bits: 4 | 8): FormatCase {
  const affine = mlxAffine(bits, 64, "BF16");
  return {
    ...affine,
    name: `transformers metal, ${bits} bits`,
    config: { quantization_config: { quant_method: "metal", bits, group_size: 64 } },
    pack: (random, rows, columns, module) => {
      const { tensors, weights } = affine.pack(random, rows, columns, module);
      return { weights, tensors: tensors.map((tensor) => (tensor.suffix === "biases" ? { ...tensor, suffix: "qbiases" } : tensor)) };
    },
  };
}

/** MLX's modes without biases. */
export function mlxFloat(mode: "mxfp4" | "nvfp4" | "mxfp8"): FormatCase {
  const bits = mode === "mxfp8" ? 8 : 4;
  const group = mode === "nvfp4" ? 16 : 32;
  return {
    name: `MLX ${mode}`,
    config: { quantization: { bits, group_size: group, mode } },
    packsEmbedding: true,
    pack: (random, rows, columns) => {
      const codes = randomCodes(random, rows * columns, 2 ** bits).map((code) => (bits === 8 ? code & 0xbf : code)); // E4M3 below 2
      const groups = columns / group;
      const scaleCodes = Array.from({ length: rows * groups }, () => (mode === "nvfp4" ? 0x08 + random.integer(12) : 121 + random.integer(4)));
      const scale = (code: number) => (mode === "nvfp4" ? decodeE4m3(code) : 2 ** (code - 127));
      const value = (code: number) => (bits === 8 ? decodeE4m3(code) : E2M1[code]);
      return {
        weights: weightsOf(rows, columns, (n, k) => value(codes[n * columns + k]) * scale(scaleCodes[n * groups + Math.floor(k / group)])),
        tensors: [
          { suffix: "weight", dtype: "U32", shape: [rows, (columns * bits) / 32], bytes: packRows(rows, columns, (n, k) => codes[n * columns + k], (row) => packStream(row, bits)) },
          { suffix: "scales", dtype: "U8", shape: [rows, groups], bytes: Uint8Array.from(scaleCodes) },
        ],
      };
    },
  };
}

const [four, six] = [mlxAffine(4, 64, "BF16"), mlxAffine(6, 64, "BF16")];
const SIX_BITS = ["self_attn.v_proj", "mlp.up_proj"].map((module) => `model.layers.0.${module}`);

/** MLX affine at two widths: the value beside query and key, and one of gate and up, which the runtime keeps in turn. */
export const mlxMixed: FormatCase = {
  name: "MLX affine, 4 and 6 bits",
  config: { quantization: { bits: 4, group_size: 64, ...Object.fromEntries(SIX_BITS.map((module) => [module, { bits: 6, group_size: 64 }])) } },
  packsEmbedding: true,
  pack: (random, rows, columns, module) => (SIX_BITS.includes(module) ? six : four).pack(random, rows, columns, module),
};
