import type { Quantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { codebookModule } from "./grouped.ts";
import { mlxSettings } from "./mlx_affine.ts";
import { expectTensor, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";

const MODES: Readonly<Record<string, { codes: "e2m1" | "e4m3"; bits: number; group: number; precision: "e8m0" | "e4m3" }>> = {
  mxfp4: { codes: "e2m1", bits: 4, group: 32, precision: "e8m0" },
  nvfp4: { codes: "e2m1", bits: 4, group: 16, precision: "e4m3" },
  mxfp8: { codes: "e4m3", bits: 8, group: 32, precision: "e8m0" },
};

/** MLX's modes without biases: `weight` U32 `[rows, columns * bits / 32]` of small floats, `scales` U8 `[rows, columns / group]`. */
export function mlxFloatModule(query: ModuleQuery, weight: TensorEntry, scales: TensorEntry, quantization: Quantization | undefined): ModuleWeights {
  const { module, rows, columns } = query;
  const { mode, groupSize } = mlxSettings(module, quantization);
  const known = MODES[mode];
  if (!known || known.group !== groupSize) throw unsupportedModule(module, `quantised as MLX ${mode}, group ${groupSize}`);
  const { codes, bits, group, precision } = known;
  expectTensor(weight, ["U32"], [rows, (columns * bits) / 32]);
  expectTensor(scales, ["U8"], [rows, columns / group]);
  return codebookModule({
    query, bits, codes: weight, source: { kind: "stream", bits, by: "rows" },
    scales, scale: { precision, blockRows: 1, rowStep: columns / group, groupStep: 1 }, sourceGroup: group,
  }, codes);
}
