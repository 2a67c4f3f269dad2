import { HearthError } from "../errors.ts";
import type { MethodQuantization, Quantization } from "../formats/quantization.ts";
import { awqModule } from "./awq.ts";
import { bitnetModule } from "./bitnet.ts";
import { bitsandbytesState, eightBitModule, fourBitModule } from "./bitsandbytes.ts";
import { modeloptModule, packedModule, signedBytesModule } from "./compressed_tensors.ts";
import { floatModule } from "./float.ts";
import { unsupportedModule } from "./formats.ts";
import { fp8Module } from "./fp8.ts";
import { gemmaModule } from "./gemma.ts";
import { gptqModule } from "./gptq.ts";
import { hqqModule } from "./hqq.ts";
import { mlxAffineModule } from "./mlx_affine.ts";
import { mlxFloatModule } from "./mlx_float.ts";
import type { ModuleQuery, ModuleWeights } from "./module_weights.ts";
import { mxfp4Module } from "./mxfp4.ts";
import { quantoBitsModule, quantoBytesModule } from "./quanto.ts";
import { torchaoModule } from "./torchao.ts";

// Formats that would be taken for a broken checkpoint if their tensors were not known by name.
const UNREADABLE = { weight_quantized: "quanto", "weight:_data": "torchao's first safetensors", "weight:qdata": "torchao's first safetensors", bitmask: "a sparse bitmask", embedding_quantized: "a quantised embedding of Gemma QAT" };

/**
 * Recognise how a module's weight is stored, by the tensors that are there and not by the repo's name; the config is
 * asked only what they leave open. Throws `corrupt-checkpoint` when tensors contradict each other,
 * `unsupported-checkpoint` when no format fits.
 */
export function recogniseModule(query: ModuleQuery, quantization: Quantization | undefined): ModuleWeights {
  const { module, find } = query;
  const config = quantization && "method" in quantization ? quantization : undefined;
  const qweight = find(`${module}.qweight`);
  if (qweight) return find(`${module}.scales`)?.shape[1] === qweight.shape[1] ? gptqModule(query, qweight, config) : awqModule(query, qweight, config);
  const packed = find(`${module}.weight_packed`);
  if (packed && find(`${module}.meta`)) throw unsupportedModule(module, "stored in Marlin's 2:4 sparse order");
  if (packed) return packedModule(query, packed, config);
  const named = namedModule(query);
  if (named) return named;
  if (!find(`${module}.weight`)) throw unreadable(query);
  return scaledModule(query, quantization, config);
}

/** A module of those formats that have a name of their own for their codes. */
function namedModule(query: ModuleQuery): ModuleWeights | undefined {
  const { module, find } = query;
  const readers = {
    _blocks: mxfp4Module,
    ".W_q": hqqModule,
    ".weight._data": quantoBytesModule,
    ".weight._data._data": quantoBitsModule,
    "._weight_qdata": torchaoModule,
  };
  for (const [ending, read] of Object.entries(readers)) {
    const codes = find(`${module}${ending}`);
    if (codes) return read(query, codes);
  }
  return undefined;
}

/** A module whose codes, or floats, are in `weight`. */
function scaledModule(query: ModuleQuery, quantization: Quantization | undefined, config: MethodQuantization | undefined): ModuleWeights {
  const { module, find } = query;
  const weight = find(`${module}.weight`)!; // the caller found it
  const state = bitsandbytesState(query);
  if (state) return fourBitModule(query, weight, state);
  const largest = find(`${module}.SCB`);
  if (largest) return eightBitModule(query, weight, largest);
  const mlxScales = find(`${module}.scales`);
  if (mlxScales?.dtype === "U8") return mlxFloatModule(query, weight, mlxScales, quantization);
  if (mlxScales) return mlxAffineModule(query, weight, quantization);
  const scales = find(`${module}.weight_scale`) ?? find(`${module}.weight_scale_inv`) ?? (weight.dtype === "F8_E4M3" ? find(`${module}.scale`) : undefined);
  if (!scales) return floatModule(query, weight);
  if (config?.method === "bitnet" && weight.dtype === "U8") return bitnetModule(query, weight, scales, config);
  if (config?.method === "gemma") return gemmaModule(query, weight, scales);
  const global = find(`${module}.weight_scale_2`);
  if (global && weight.dtype === "U8") return modeloptModule(query, weight, scales, global);
  if (weight.dtype === "F8_E4M3") return fp8Module(query, weight, scales, config);
  if (weight.dtype === "I8") return signedBytesModule(query, weight, scales);
  throw unsupportedModule(module, `stored as ${weight.dtype} with scales of its own (${config?.method ?? "no quantisation named"})`);
}

/** A module without a plain weight: name the format when its tensors betray one. */
function unreadable({ module, find }: ModuleQuery): HearthError {
  for (const [suffix, format] of Object.entries(UNREADABLE)) {
    if (find(`${module}.${suffix}`)) return unsupportedModule(module, `stored as ${format} ("${suffix}")`);
  }
  return new HearthError("corrupt-checkpoint", `${module}.weight: expected in the checkpoint, found in none of its files`);
}

/** Whether a tensor only calibrates what Hearth does not quantise: keys, values and activations. */
export function isCalibration(name: string): boolean {
  return /\.(q|k|v|input|output|activation)_(scale|zero_point|global_scale)$/.test(name);
}
