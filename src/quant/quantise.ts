import { hasPairs } from "./matrix.ts";
import type { ModuleWeights } from "./module_weights.ts";

const SMALLEST_ROWS = 64; // gates and routers of fewer rows save nothing and lose much

/** Width that float weights are quantised to while they load. */
export type QuantizedWidth = "q4" | "q8";

/** The same module, quantised as it loads, where it is stored in floats and fits: groups of 64 columns, or else 32, as MLX makes them. */
export function quantisedOnLoad(module: ModuleWeights, codes: QuantizedWidth): ModuleWeights {
  const { format, rows, columns, tensors } = module;
  if ("scales" in format || module.finish || columns % 32 !== 0 || rows < SMALLEST_ROWS) return module;
  const scales = format.codes as "f32" | "f16" | "bf16"; // what has no scales is a float type
  const [{ entry }] = tensors;
  return { rows, columns, format: { codes, scales, group: columns % 64 === 0 ? 64 : 32 }, tensors: [{ role: "quantised", entry }] };
}

/** The same module in floats again, where they were to be quantised as they load. */
export function keptInFloats(module: ModuleWeights): ModuleWeights {
  const { format, rows, columns, tensors: [{ role, entry }] } = module;
  if (role !== "quantised" || !hasPairs(format)) return module;
  return { rows, columns, format: { codes: format.scales }, tensors: [{ role: "codes", entry }] };
}
