import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { stackedShape, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";

const FORMATS = { F32: "f32", F16: "f16", BF16: "bf16" } as const;

/** A plain float weight, kept in its own precision. */
export function floatModule({ module }: ModuleQuery, weight: TensorEntry): ModuleWeights {
  const codes = FORMATS[weight.dtype as keyof typeof FORMATS];
  if (!codes) throw unsupportedModule(module, `stored as ${weight.dtype}`);
  const [rows, columns] = stackedShape(weight);
  return { format: { codes }, rows, columns, tensors: [{ role: "codes", entry: weight }] };
}
