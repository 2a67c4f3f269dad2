import { bitsandbytes, fp8, mx, nvfp4 } from "./float_cases.ts";
import { awq, bitsandbytesInt8, compressedIntegers, gemma, gptq, gptqMixed, signedBytes } from "./integer_cases.ts";
import { metal, mlxAffine, mlxFloat, mlxMixed } from "./mlx_cases.ts";
import { bitnet, hqq, mxfp4Blocks, quantoBits, quantoBytes, torchaoBytes, torchaoInt4, torchaoIntx } from "./rare_cases.ts";
import type { FormatCase } from "./stored_module.ts";

const GPTQ = { quant_method: "gptq" };

/** The same checkpoint, described in a file of its own. */
function describedIn(name: NonNullable<FormatCase["file"]>["name"], description: unknown, format: FormatCase): FormatCase {
  return { ...format, name: `${format.name}, described in ${name}`, config: {}, file: { name, text: JSON.stringify(description) } };
}

/** Every format, in every variant that is repacked in a way of its own. */
export const FORMAT_CASES: readonly FormatCase[] = [
  ...[2, 3, 4, 5, 6, 8].map((bits) => mlxAffine(bits, bits === 3 ? 32 : 64, bits === 5 ? "F16" : "BF16")),
  mlxMixed,
  metal(4),
  mlxFloat("mxfp4"),
  mlxFloat("nvfp4"),
  mlxFloat("mxfp8"),
  gptq("GPTQ, 4 bits", { bits: 4, group: 64, version: 1, config: GPTQ }),
  gptq("GPTQ, 4 bits, symmetric, whole rows", { bits: 4, group: -1, version: 1, sym: true, config: GPTQ }),
  gptq("GPTQ version 2, 4 bits", { bits: 4, group: 32, version: 2, config: { ...GPTQ, checkpoint_format: "gptq_v2" } }),
  gptq("GPTQ, 8 bits", { bits: 8, group: 64, version: 1, config: GPTQ }),
  gptq("GPTQ, 3 bits", { bits: 3, group: 64, version: 1, config: GPTQ }),
  gptq("GPTQ, 2 bits", { bits: 2, group: 64, version: 1, config: GPTQ }),
  gptq("GPTQ, 4 bits, act-order", { bits: 4, group: 64, version: 1, actOrder: true, config: GPTQ }),
  gptq("GPTQ, 4 bits, groups of 16", { bits: 4, group: 16, version: 1, config: GPTQ }),
  gptq("AutoRound in GPTQ's layout", { bits: 4, group: 64, version: 1, sym: true, config: { quant_method: "auto-round", packing_format: "auto_round:auto_gptq" } }),
  gptq("AutoRound in GPTQ's second version", { bits: 4, group: 64, version: 2, config: { quant_method: "auto-round", packing_format: "auto_round:gptqmodel" } }),
  gptqMixed,
  awq,
  compressedIntegers("compressed-tensors, 4 bits, symmetric", { bits: 4, group: 64, symmetric: true, dtype: "BF16" }),
  compressedIntegers("compressed-tensors, 4 bits, asymmetric", { bits: 4, group: 64, symmetric: false, dtype: "BF16" }),
  compressedIntegers("compressed-tensors, 4 bits, act-order", { bits: 4, group: 64, symmetric: false, dtype: "BF16", actOrder: true }),
  compressedIntegers("compressed-tensors, 8 bits, whole rows", { bits: 8, group: 0, symmetric: true, dtype: "F16" }),
  compressedIntegers("compressed-tensors, 3 bits, dense", { bits: 3, group: 64, symmetric: false, dtype: "BF16" }),
  compressedIntegers("compressed-tensors, 3 bits, word by word", { bits: 3, group: 64, symmetric: true, dtype: "BF16", wordByWord: true }),
  compressedIntegers("compressed-tensors, 6 bits, dense", { bits: 6, group: 64, symmetric: true, dtype: "BF16" }),
  signedBytes("compressed-tensors int8", true),
  signedBytes("compressed-tensors int8, asymmetric", false),
  fp8("compressed-tensors FP8, a scale for each row", "compressed-tensors", "weight_scale", "row", "BF16"),
  fp8("FP8, a scale for each block", "fp8", "weight_scale_inv", "block", "F32"),
  fp8("FP8, a scale for each matrix", "fp8", "weight_scale_inv", "matrix", "BF16"),
  nvfp4("compressed-tensors nvfp4", "compressed-tensors", { codes: "weight_packed", global: "weight_global_scale" }, true),
  nvfp4("ModelOpt nvfp4", "modelopt", { codes: "weight", global: "weight_scale_2" }, false),
  fp8("ModelOpt FP8", "modelopt", "weight_scale", "matrix", "F32"),
  describedIn("quantize_config.json", { bits: 4, group_size: 64, damp_percent: 0.1, desc_act: true, sym: false, true_sequential: true },
    gptq("GPTQ, 4 bits, act-order", { bits: 4, group: 64, version: 1, actOrder: true, config: GPTQ })),
  describedIn("quant_config.json", { zero_point: true, q_group_size: 64, w_bit: 4, version: "GEMM" }, awq),
  describedIn("hf_quant_config.json", { producer: { name: "modelopt" }, quantization: { quant_algo: "NVFP4", group_size: 16, exclude_modules: ["lm_head"] } },
    nvfp4("ModelOpt nvfp4", "modelopt", { codes: "weight", global: "weight_scale_2" }, false)),
  mx(4),
  mx(8),
  bitsandbytes("nf4", false),
  bitsandbytes("nf4", true),
  bitsandbytes("fp4", false),
  bitsandbytesInt8,
  gemma(2),
  gemma(4),
  gemma(8),
  mxfp4Blocks,
  bitnet("autobitlinear"),
  bitnet(undefined),
  hqq(2),
  hqq(4),
  hqq(8),
  quantoBits(4, 64),
  quantoBits(2, 32),
  quantoBytes("int8"),
  quantoBytes("float8"),
  torchaoInt4,
  torchaoIntx("I8"),
  torchaoIntx("BF16"),
  torchaoBytes("int8"),
  torchaoBytes("float8"),
];
