import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { fp8Module } from "./fp8.ts";
import { integerModule, scalePrecision } from "./grouped.ts";
import { BINDINGS, expectTensor, presentTensors, requiredTensor, type ModuleQuery, type ModuleWeights } from "./module_weights.ts";
import { heldFloats } from "./scale_grid.ts";
import { signedBytes } from "./signed_bytes.ts";

const MIDDLE = 8; // signed 4-bit codes become unsigned by flipping their sign bit
const FLOATS = ["F32", "F16", "BF16"];
const UNREAD = ["_weight_act_quant_scale"]; // would quantise activations, which Hearth keeps in f32

/**
 * torchao's safetensors, whose tensors are named after the parts of its tensor classes. Read are those that keep codes in
 * the order of the weight: Int8Tensor and IntxUnpackedToInt8Tensor (`_weight_qdata` I8), Int4Tensor (I8 of two codes) and
 * Float8Tensor (F8_E4M3). Others are laid out for one kind of hardware.
 */
export function torchaoModule(query: ModuleQuery, codes: TensorEntry): ModuleWeights {
  const { module, rows, columns, find } = query;
  if (find(`${module}._weight_act_pre_scale`)) throw unsupportedModule(module, "quantised by torchao with scaled activations (act_pre_scale)");
  const scales = find(`${module}._weight_scale`);
  const isPlain = codes.shape.length === 2 && codes.shape[0] === rows && scales !== undefined && FLOATS.includes(scales.dtype);
  if (isPlain && codes.dtype === "I8" && codes.shape[1] === columns) return signedBytes(query, codes, scales, find(`${module}._weight_zero_point`), presentTensors(query, UNREAD));
  if (isPlain && codes.dtype === "I8" && codes.shape[1] === columns / 2) return int4Module(query, codes, scales);
  if (isPlain && codes.dtype === "F8_E4M3") return { ...fp8Module(query, codes, scales, undefined), unread: presentTensors(query, UNREAD) };
  throw unsupportedModule(module, `stored by torchao as ${codes.dtype} [${codes.shape}] with scales ${scales ? `${scales.dtype} [${scales.shape}]` : "of another name"}`);
}

/** Int4Tensor: two signed codes to a byte, the first low; `_weight_scale` and `_weight_zero_point` `[groups, rows]`; w = scale * code + zero point. */
function int4Module(query: ModuleQuery, codes: TensorEntry, scales: TensorEntry): ModuleWeights {
  const { module, rows, columns } = query;
  const groups = scales.shape[0];
  const offsets = requiredTensor(query, `${module}._weight_zero_point`);
  for (const entry of [scales, offsets]) expectTensor(entry, FLOATS, [groups, rows]);
  return integerModule({
    query, bits: 4, codes, source: { kind: "stream", bits: 4, by: "rows", flip: MIDDLE },
    scales, scale: { precision: scalePrecision(scales.dtype)!, blockRows: 1, rowStep: 1, groupStep: rows }, // checked above
    sourceGroup: columns / groups,
    zero: { kind: "bias", rowStep: 1, groupStep: rows, zero: MIDDLE },
    held: [heldFloats(offsets, BINDINGS.zeros)],
  });
}
