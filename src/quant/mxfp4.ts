import type { TensorEntry } from "../formats/safetensors.ts";
import { codebookModule } from "./grouped.ts";
import { expectTensor, requiredTensor, withRowsJoined, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";

const BLOCK = 32; // columns that share a scale

/**
 * gpt-oss: `X_blocks` U8 `[experts, rows, columns / 32, 16]` of 4-bit floats, the first of two low, and `X_scales` U8
 * `[experts, rows, columns / 32]`, powers of two. The experts' matrices lie one under another.
 */
export function mxfp4Module(query: ModuleQuery, blocks: TensorEntry): ModuleWeights {
  const { module, rows, columns } = query;
  const scales = requiredTensor(query, `${module}_scales`);
  expectTensor(withRowsJoined(blocks, 2), ["U8"], [rows, columns / BLOCK, BLOCK / 2]);
  expectTensor(withRowsJoined(scales, 1), ["U8"], [rows, columns / BLOCK]);
  return codebookModule({
    query, bits: 4, codes: blocks, source: { kind: "stream", bits: 4, by: "rows" },
    scales, scale: { precision: "e8m0", blockRows: 1, rowStep: columns / BLOCK, groupStep: 1 }, sourceGroup: BLOCK,
  }, "e2m1");
}
