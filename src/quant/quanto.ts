import { HearthError } from "../errors.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { fp8Module } from "./fp8.ts";
import { integerModule, scalePrecision } from "./grouped.ts";
import { BINDINGS, expectTensor, requiredTensor, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";
import { heldFloats } from "./scale_grid.ts";
import { signedBytes } from "./signed_bytes.ts";

const BITS = [2, 4];
const FLOATS = ["F32", "F16", "BF16"];

/** quanto at 8 bits: `weight._data` I8 or F8_E4M3 `[rows, columns]` with `weight._scale` for each row, or for all. */
export function quantoBytesModule(query: ModuleQuery, codes: TensorEntry): ModuleWeights {
  const scales = requiredTensor(query, `${query.module}.weight._scale`);
  if (codes.dtype === "I8") return signedBytes(query, codes, scales, undefined, []);
  if (codes.dtype === "F8_E4M3") return fp8Module(query, codes, scales, undefined);
  throw unsupportedModule(query.module, `stored by quanto as ${codes.dtype}`);
}

/**
 * quanto at 2 and 4 bits: `weight._data._data` U8 of codes `[groups of all rows, columns of a group]`, at 4 bits the first
 * half of the groups in the low halves of bytes and the second half in the high ones, at 2 bits quarters likewise;
 * `weight._scale` and `weight._shift` `[groups of all rows, 1]`; w = scale * code - shift.
 */
export function quantoBitsModule(query: ModuleQuery, codes: TensorEntry): ModuleWeights {
  const { module, rows, columns, find } = query;
  const bits = (8 * (codes.end - codes.begin)) / (rows * columns);
  if (!BITS.includes(bits) || codes.dtype !== "U8") throw unsupportedModule(module, `stored by quanto as ${codes.dtype} at ${bits.toFixed(1)} bits`);
  const scales = requiredTensor(query, `${module}.weight._scale`);
  const shifts = find(`${module}.weight._shift`);
  if (!shifts || !FLOATS.includes(shifts.dtype)) throw unsupportedModule(module, "stored by quanto with whole zero points, as old or unusual versions do");
  const groups = scales.shape[0];
  const sourceGroup = (rows * columns) / groups;
  for (const entry of [scales, shifts]) expectTensor(entry, FLOATS, [groups, 1]);
  if (columns % sourceGroup !== 0 || rows % (8 / bits) !== 0) throw new HearthError("corrupt-checkpoint", `${scales.name}: expected groups within rows of ${columns} columns, found ${groups} groups for ${rows} rows`);
  const steps = { rowStep: columns / sourceGroup, groupStep: 1 };
  return integerModule({
    query, bits, codes, source: { kind: "planes", bits, highFirst: false },
    scales, scale: { precision: scalePrecision(scales.dtype)!, blockRows: 1, ...steps }, sourceGroup, // checked above
    zero: { kind: "bias", ...steps, zero: 0 },
    held: [heldFloats(shifts, BINDINGS.zeros, (shift) => -shift)],
  });
}
