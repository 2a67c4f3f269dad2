import { HearthError } from "../errors.ts";
import type { MethodQuantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { integerModule, scalePrecision } from "./grouped.ts";
import { BINDINGS, expectTensor, requiredTensor, type ModuleQuery, type ModuleTensor, type ModuleWeights, type ZeroSource } from "./module_weights.ts";

const BITS = [2, 3, 4, 8];
const VERSION_1 = ["gptq", "auto_round:auto_gptq"]; // zero points less one; a GPTQ config that says nothing means it too
const VERSION_2 = ["gptq_v2", "auto_round", "auto_round:gptqmodel", "auto_round:auto_round"];
const WORD_OF_ONES: Readonly<Record<number, number>> = { 2: 0x55555555, 4: 0x11111111, 8: 0x01010101 };

/**
 * GPTQ: `qweight` I32 `[columns * bits / 32, rows]`, for each row one stream of codes down the words; `scales`
 * `[groups, rows]`; `qzeros` I32 `[groups, rows * bits / 32]`; w = scale * (code - zero). With act-order, `g_idx` lists
 * each column's group. AutoRound exports the same layout.
 */
export function gptqModule(query: ModuleQuery, qweight: TensorEntry, config: MethodQuantization | undefined): ModuleWeights {
  const { module, rows, columns, find } = query;
  const bits = (qweight.shape[0] * 32) / columns;
  if (!BITS.includes(bits)) throw unsupportedModule(module, `quantised as GPTQ at ${bits} bits`);
  expectTensor(qweight, ["I32", "U32"], [(columns * bits) / 32, rows]);
  const scales = requiredTensor(query, `${module}.scales`);
  const groups = scales.shape[0];
  expectTensor(scales, ["F16", "BF16", "F32"], [groups, rows]);
  const sourceGroup = groupSize(module, columns, groups, config?.groupSize);
  const zeros = find(`${module}.qzeros`);
  const listed = find(`${module}.g_idx`);
  const hasListedGroups = listed !== undefined && groups > 1 && (config?.actOrder ?? false);
  return integerModule({
    query, bits, codes: qweight, source: { kind: "stream", bits, by: "columns" },
    scales, scale: { precision: scalePrecision(scales.dtype)!, blockRows: 1, rowStep: 1, groupStep: rows }, // checked above
    zero: zeros ? storedZeros(query, zeros, groups, bits, config) : { kind: "constant", zero: 2 ** (bits - 1) },
    sourceGroup,
    held: [
      ...(zeros ? [{ role: "held", entry: zeros, binding: BINDINGS.zeros } as const] : []),
      ...(listed ? [groupList(listed, columns, groups, sourceGroup, hasListedGroups)] : []),
    ],
    hasListedGroups,
  });
}

/** Columns of a group: what the config says where that fits, else what the number of groups says. */
function groupSize(module: string, columns: number, groups: number, configured: number | undefined): number {
  if (groups === 1) return columns;
  if (configured !== undefined && configured > 0 && Math.ceil(columns / configured) === groups) return configured;
  if (columns % groups === 0) return columns / groups;
  throw new HearthError("corrupt-checkpoint", `${module}.scales: expected whole groups of ${columns} columns, found ${groups}`);
}

function storedZeros({ module, rows }: ModuleQuery, zeros: TensorEntry, groups: number, bits: number, config: MethodQuantization | undefined): ZeroSource {
  expectTensor(zeros, ["I32", "U32"], [groups, (rows * bits) / 32]);
  const name = config?.format ?? "gptq";
  const isVersion1 = VERSION_1.includes(name);
  if (!isVersion1 && !VERSION_2.includes(name)) throw unsupportedModule(module, `packed as "${name}"`);
  // The first version took one off the packed words, so adding it back must carry from field to field.
  const wordAdd = isVersion1 ? (WORD_OF_ONES[bits] ?? 0) : 0;
  const add = isVersion1 && wordAdd === 0 ? 1 : 0;
  return { kind: "stream", bits, groupStep: (rows * bits) / 32, wordStep: 1, wordAdd, add };
}

/** `g_idx`: read where act-order is on, else checked, because columns in another order would make nonsense. */
function groupList(entry: TensorEntry, columns: number, groups: number, sourceGroup: number, isRead: boolean): ModuleTensor {
  expectTensor(entry, ["I32"], [columns]);
  const check = (bytes: Uint8Array<ArrayBuffer>) => {
    for (const [column, group] of new Int32Array(bytes.buffer).entries()) {
      if (group < 0 || group >= groups) throw new HearthError("corrupt-checkpoint", `${entry.name}: expected groups from 0 to ${groups - 1}, found ${group}`);
      if (!isRead && groups > 1 && group !== Math.floor(column / sourceGroup)) {
        throw new HearthError("unsupported-checkpoint", `${entry.name}: lists groups in an order of its own, but config.json does not say "desc_act": true`);
      }
    }
    return bytes;
  };
  return { role: "held", entry, binding: isRead ? BINDINGS.groups : undefined, prepare: check };
}
