import { HearthError } from "../errors.ts";
import type { Quantization } from "../formats/quantization.ts";

/** What a checkpoint format is called, what of it Hearth reads, and the `quant_method`s that announce it. */
export interface FormatInfo {
  name: string;
  reads: string;
  methods: readonly string[];
}

/** Every format that Hearth reads, by the name of its file in this folder. */
export const FORMATS = {
  float: { name: "plain floats", reads: "F32, F16 and BF16", methods: [] },
  mlx_affine: { name: "MLX affine", reads: "2, 3, 4, 5, 6 and 8 bits in groups of 32, 64 or 128", methods: ["metal"] },
  mlx_float: { name: "MLX mxfp4, nvfp4 and mxfp8", reads: "groups of 32, 16 and 32", methods: [] },
  gptq: { name: "GPTQ and AutoRound", reads: "2, 3, 4 and 8 bits, both versions of zero points, with and without act-order", methods: ["gptq", "auto-round"] },
  awq: { name: "AWQ", reads: "4 bits, gemm", methods: ["awq"] },
  compressed_tensors: { name: "compressed-tensors", reads: "pack-quantized at 2 to 8 bits, int-quantized, float-quantized, nvfp4, mxfp4 and mxfp8", methods: ["compressed-tensors"] },
  fp8: { name: "FP8 (E4M3)", reads: "a scale for each block, row or matrix", methods: ["fp8", "fbgemm_fp8", "modelopt", "mxfp8"] },
  gemma: { name: "Gemma QAT", reads: "linear modules at 2, 4 and 8 bits", methods: ["gemma"] },
  mxfp4: { name: "mxfp4 of gpt-oss", reads: "blocks of 32, experts in one tensor", methods: ["mxfp4"] },
  bitnet: { name: "BitNet", reads: "ternary weights packed offline, autobitlinear and bitlinear", methods: ["bitnet"] },
  hqq: { name: "HQQ", reads: "2, 4, 5, 6 and 8 bits, in groups within rows (axis 1)", methods: ["hqq"] },
  quanto: { name: "quanto", reads: "int8, int4, int2 and float8 (E4M3)", methods: ["quanto"] },
  torchao: { name: "torchao", reads: "safetensors with int8, intx, plain int4 or float8 (E4M3) tensors", methods: ["torchao"] },
  bitsandbytes: { name: "bitsandbytes", reads: "nf4 and fp4, their scales quantised again or not, and int8", methods: ["bitsandbytes"] },
} as const satisfies Record<string, FormatInfo>;

/** Every weight format that can be read, for error messages. */
export const SUPPORTED_FORMATS = Object.values(FORMATS).map(({ name, reads }) => `${name} (${reads})`).join("; ");

/** The error for a module that is stored as `finding`, which no format covers. */
export function unsupportedModule(module: string, finding: string): HearthError {
  return new HearthError("unsupported-checkpoint", `${module}: ${finding}, which is not supported. Hearth reads ${SUPPORTED_FORMATS}.`);
}

/** Refuse a quantisation method that no format covers, before any weights file is opened. */
export function requireSupportedMethod(quantization: Quantization | undefined): void {
  if (!quantization || !("method" in quantization)) return;
  const methods: readonly string[] = Object.values(FORMATS).flatMap((format) => format.methods);
  const { method, isOnline, hasTransforms } = quantization;
  if (!methods.includes(method)) throw unsupportedModule("config.json", `quantised by "${method}"`);
  if (isOnline) throw unsupportedModule("config.json", `quantised by "${method}" online, from floats at every use`);
  if (hasTransforms) throw unsupportedModule("config.json", `quantised by "${method}" with transforms at run time`);
}
