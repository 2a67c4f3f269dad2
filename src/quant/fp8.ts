import type { MethodQuantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { codebookModule } from "./grouped.ts";
import { expectTensor, presentTensors, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";
import { scaleGrid } from "./scale_grid.ts";

// What would quantise activations, which Hearth keeps in f32.
const UNREAD = ["activation_scale", "input_scale", "input_zero_point", "input_scale_ub"];

/**
 * 8-bit floats: `weight` F8_E4M3 `[rows, columns]`, and scales that are multiplied whatever their name says: one for
 * the matrix, for each row, for each group of a row, or for each block of rows and columns. The scales' shape tells.
 */
export function fp8Module(query: ModuleQuery, weight: TensorEntry, scales: TensorEntry, config: MethodQuantization | undefined): ModuleWeights {
  expectTensor(weight, ["F8_E4M3"], [query.rows, query.columns]);
  return codebookModule({
    query, bits: 8, codes: weight, source: { kind: "stream", bits: 8, by: "rows" },
    scales, ...scaleGrid(query, scales, config?.blockSize), unread: presentTensors(query, UNREAD),
  }, "e4m3");
}
