import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { integerModule } from "./grouped.ts";
import { expectTensor, presentTensors, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";

// What would quantise activations, which Hearth keeps in f32.
const UNREAD = ["input_activation_scale", "output_activation_scale"];

/** Gemma's quantisation-aware checkpoints: `weight` U8 of 2 or 4 bits, or I8, each less half its range; `weight_scale` F32 `[rows, 1]`. */
export function gemmaModule(query: ModuleQuery, weight: TensorEntry, scales: TensorEntry): ModuleWeights {
  const { module, rows, columns } = query;
  const bits = (weight.shape[1] * 8) / columns;
  if (![2, 4, 8].includes(bits) || weight.dtype !== (bits === 8 ? "I8" : "U8")) throw unsupportedModule(module, `stored as ${weight.dtype} at ${bits} bits`);
  expectTensor(weight, [weight.dtype], [rows, (columns * bits) / 8]);
  expectTensor(scales, ["F32"], [rows, 1]);
  return integerModule({
    query, bits, codes: weight, source: { kind: "stream", bits, by: "rows", flip: bits === 8 ? 128 : 0 },
    scales, scale: { precision: "f32", blockRows: 1, rowStep: 1, groupStep: 0 }, sourceGroup: columns,
    zero: { kind: "constant", zero: 2 ** (bits - 1) },
    unread: presentTensors(query, UNREAD),
  });
}
