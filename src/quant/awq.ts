import type { MethodQuantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { integerModule, scalePrecision } from "./grouped.ts";
import { BINDINGS, expectTensor, requiredTensor, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";

const LAYOUTS = ["gemm", "auto_round:auto_awq"];

/**
 * AWQ "gemm": `qweight` I32 `[columns, rows / 8]`, eight rows to a word in AWQ's own order; `scales` `[groups, rows]`;
 * `qzeros` I32 `[groups, rows / 8]` in the same order; w = scale * (code - zero).
 */
export function awqModule(query: ModuleQuery, qweight: TensorEntry, config: MethodQuantization | undefined): ModuleWeights {
  const { module, rows, columns, find } = query;
  const layout = config?.format ?? "gemm";
  if (!LAYOUTS.includes(layout)) throw unsupportedModule(module, `packed as AWQ "${layout}"`);
  const scales = requiredTensor(query, `${module}.scales`);
  const groups = scales.shape[0];
  expectTensor(qweight, ["I32", "U32"], [columns, rows / 8]);
  expectTensor(scales, ["F16", "BF16", "F32"], [groups, rows]);
  const zeros = find(`${module}.qzeros`);
  if (zeros) expectTensor(zeros, ["I32", "U32"], [groups, rows / 8]);
  return integerModule({
    query, bits: 4, codes: qweight, source: { kind: "awq" },
    scales, scale: { precision: scalePrecision(scales.dtype)!, blockRows: 1, rowStep: 1, groupStep: rows }, // checked above
    zero: zeros ? { kind: "awq" } : { kind: "constant", zero: 8 },
    sourceGroup: columns / groups,
    held: zeros ? [{ role: "held", entry: zeros, binding: BINDINGS.zeros }] : [],
  });
}
