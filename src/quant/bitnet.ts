import type { MethodQuantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { integerModule, scalePrecision } from "./grouped.ts";
import { expectTensor, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";
import { asFloats } from "./scale_grid.ts";

/**
 * BitNet b1.58, quantised offline: `weight` U8 `[rows / 4, columns]` of four ternary codes, one for each quarter of the
 * rows, the first lowest; w = code - 1, times `weight_scale` `[1]` for linear class "autobitlinear", divided by it for
 * "bitlinear", which is also what a config without a class means.
 *
 * transformers also rounds each token's activations to 8 bits before every such module, as in training. Hearth keeps
 * them in f32, as for every format, so its logits are those of the dequantised weights and nearer to unrounded
 * arithmetic; they differ from transformers' by that rounding, up to half of 1/127 of each token's largest activation.
 */
export function bitnetModule(query: ModuleQuery, weight: TensorEntry, scales: TensorEntry, config: MethodQuantization): ModuleWeights {
  const { module, rows, columns } = query;
  const linearClass = config.format ?? "bitlinear";
  if (linearClass !== "bitlinear" && linearClass !== "autobitlinear") throw unsupportedModule(module, `quantised as BitNet "${linearClass}"`);
  expectTensor(weight, ["U8"], [rows / 4, columns]);
  expectTensor(scales, ["F32", "F16", "BF16"], [1]);
  const divides = linearClass === "bitlinear";
  return integerModule({
    query, bits: 2, codes: weight, source: { kind: "planes", bits: 2, highFirst: false },
    scales,
    prepareScales: divides ? asFloats(scales, (scale) => 1 / scale) : undefined,
    scale: { precision: divides ? "f32" : scalePrecision(scales.dtype)!, blockRows: 1, rowStep: 0, groupStep: 0 }, // checked above
    sourceGroup: columns,
    zero: { kind: "constant", zero: 1 },
  });
}
