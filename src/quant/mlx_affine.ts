import { HearthError } from "../errors.ts";
import type { MlxQuantization } from "../formats/model_config.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { SUPPORTED_FORMATS, type FindTensor, type ModuleWeights } from "./module_weights.ts";

const CODES = { 4: "q4", 8: "q8" } as const;
const SCALES = { F16: "f16", BF16: "bf16", F32: "f32" } as const;
const GROUPS = [32, 64, 128];

/**
 * MLX affine quantisation: `weight` U32 `[rows, columns * bits / 32]`, each row one stream of codes, `scales` and
 * `biases` `[rows, columns / group]`; w = scale * code + bias. The config gives bits and group, per module where it
 * wants to.
 */
export function mlxAffineModule(module: string, find: FindTensor, quantization: MlxQuantization | undefined): ModuleWeights {
  const { bits, groupSize, mode } = moduleSettings(module, quantization);
  const codes = CODES[bits as keyof typeof CODES];
  if (mode !== "affine" || !codes || !GROUPS.includes(groupSize)) {
    throw new HearthError("unsupported-checkpoint", `${module}: quantised as MLX ${mode}, ${bits} bits, group ${groupSize}. Hearth reads ${SUPPORTED_FORMATS}.`);
  }
  const weight = required(find, `${module}.weight`);
  const scales = required(find, `${module}.scales`);
  const biases = required(find, `${module}.biases`);
  const precision = SCALES[scales.dtype as keyof typeof SCALES];
  if (weight.dtype !== "U32" || !precision || biases.dtype !== scales.dtype) {
    throw new HearthError("corrupt-checkpoint", `${module}: expected U32 codes with float scales and biases alike, found ${weight.dtype}, ${scales.dtype}, ${biases.dtype}`);
  }
  const [rows, words] = weight.shape;
  const columns = (words * 32) / bits;
  for (const { name, shape } of [scales, biases]) {
    if (weight.shape.length !== 2 || shape.length !== 2 || shape[0] !== rows || shape[1] * groupSize !== columns) {
      throw new HearthError("corrupt-checkpoint", `${name}: expected shape [${rows}, ${columns / groupSize}] beside codes [${weight.shape}] at ${bits} bits, found [${shape}]`);
    }
  }
  return {
    format: { codes, scales: precision, group: groupSize },
    rows,
    columns,
    tensors: [
      { role: "codes", entry: weight },
      { role: "scales", entry: scales },
      { role: "biases", entry: biases },
    ],
  };
}

function moduleSettings(module: string, quantization: MlxQuantization | undefined): { bits: number; groupSize: number; mode: string } {
  if (!quantization) {
    throw new HearthError("corrupt-checkpoint", `${module}: has quantised tensors, but config.json has no "quantization"`);
  }
  return quantization.overrides.get(module) || quantization; // `false` beside scales contradicts itself; the tensors decide
}

function required(find: FindTensor, name: string): TensorEntry {
  const entry = find(name);
  if (!entry) throw new HearthError("corrupt-checkpoint", `${name}: expected beside the quantised weight, found in no file`);
  return entry;
}
