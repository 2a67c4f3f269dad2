import { HearthError } from "../errors.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import type { ModuleQuery, ModuleWeights } from "./module_weights.ts";

const FORMATS = { F32: "f32", F16: "f16", BF16: "bf16" } as const;

/** A plain float weight, kept in its own precision. */
export function floatModule({ module }: ModuleQuery, weight: TensorEntry): ModuleWeights {
  const codes = FORMATS[weight.dtype as keyof typeof FORMATS];
  if (!codes) throw unsupportedModule(module, `stored as ${weight.dtype}`);
  if (weight.shape.length !== 2) {
    throw new HearthError("corrupt-checkpoint", `${module}.weight: expected two dimensions, found [${weight.shape}]`);
  }
  const [rows, columns] = weight.shape;
  return { format: { codes }, rows, columns, tensors: [{ role: "codes", entry: weight }] };
}
