import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { integerModule, scalePrecision } from "./grouped.ts";
import { BINDINGS, expectTensor, presentTensors, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";
import { heldFloats } from "./scale_grid.ts";

const BITS = [2, 4, 8]; // widths of packed codes; 5 and 6 bits are kept in bytes
const FLOATS = ["F32", "F16", "BF16"];
// What the module was quantised with; shapes tell as much of it as reading takes.
const UNREAD = [
  "nbits", "group_size", "shape", "axis", "packing", "unpack_view_dtype", "view_as_float", "quant_scale", "quant_zero", "compute_dtype",
  "offload_meta", "encoded_state_dict", "stores_quant_config", "channel_wise", "optimize", "round_zero",
];

/**
 * HQQ as transformers saves it, in groups along the rows (`axis` 1): `W_q` U8 of codes `[groups of all rows, columns of a
 * group]`, at 4 bits the first half of the groups in the high halves of bytes and the second half in the low ones, at 2
 * bits quarters likewise; `scale` and `zero` `[groups of all rows, 1]`; w = scale * (code - zero), with zero points
 * between whole numbers.
 */
export function hqqModule(query: ModuleQuery, codes: TensorEntry): ModuleWeights {
  const { module, rows, columns, find } = query;
  const bits = (8 * (codes.end - codes.begin)) / (rows * columns);
  if (!BITS.includes(bits)) throw unsupportedModule(module, `quantised by HQQ at ${bits.toFixed(1)} bits`);
  const [scales, zeros] = [find(`${module}.scale`), find(`${module}.zero`)];
  if (!scales || !zeros) throw unsupportedModule(module, "quantised by HQQ with scales that are quantised again, or kept apart");
  if (find(`${module}.act_bits`)) throw unsupportedModule(module, "quantised by HQQ together with its activations");
  const [groups, across] = scales.shape;
  const sourceGroup = (rows * columns) / groups;
  if (scales.shape.length !== 2 || across !== 1) throw unsupportedModule(module, `quantised by HQQ across rows (axis 0), with scales [${scales.shape}]`);
  if (columns % sourceGroup !== 0 || rows % (8 / bits) !== 0) throw unsupportedModule(module, `quantised by HQQ in groups of ${sourceGroup} that cross rows of ${columns} columns`);
  for (const entry of [scales, zeros]) expectTensor(entry, FLOATS, [groups, 1]);
  const steps = { rowStep: columns / sourceGroup, groupStep: 1 };
  return integerModule({
    query, bits, codes, source: bits === 8 ? { kind: "stream", bits, by: "rows" } : { kind: "planes", bits, highFirst: true },
    scales, scale: { precision: scalePrecision(scales.dtype)!, blockRows: 1, ...steps }, sourceGroup, // checked above
    zero: { kind: "floats", ...steps },
    held: [heldFloats(zeros, BINDINGS.zeros)],
    unread: presentTensors(query, UNREAD),
  });
}
