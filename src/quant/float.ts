import { HearthError } from "../errors.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { SUPPORTED_FORMATS, type ModuleWeights } from "./module_weights.ts";

const FORMATS = { F32: "f32", F16: "f16", BF16: "bf16" } as const;

/** A plain float weight, kept in its own precision. */
export function floatModule(module: string, weight: TensorEntry): ModuleWeights {
  const codes = FORMATS[weight.dtype as keyof typeof FORMATS];
  if (!codes) {
    throw new HearthError("unsupported-checkpoint", `${weight.name}: stored as ${weight.dtype}. Hearth reads ${SUPPORTED_FORMATS}.`);
  }
  if (weight.shape.length !== 2) {
    throw new HearthError("corrupt-checkpoint", `${module}.weight: expected two dimensions, found [${weight.shape}]`);
  }
  const [rows, columns] = weight.shape;
  return { format: { codes }, rows, columns, tensors: [{ role: "codes", entry: weight }] };
}
