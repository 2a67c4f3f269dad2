import type { MethodQuantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { codebookModule, integerModule } from "./grouped.ts";
import { BINDINGS, expectTensor, presentTensors, requiredTensor, type CodeSource, type ModuleQuery, type ModuleTensor, type ModuleWeights } from "./module_weights.ts";
import { heldFactor, scaleGrid } from "./scale_grid.ts";
import { signedBytes } from "./signed_bytes.ts";

// Shapes that config.json gives too, and what would quantise activations, which Hearth keeps in f32.
const UNREAD = ["weight_shape", "input_scale", "input_zero_point", "input_global_scale", "output_scale", "output_zero_point"];

/** compressed-tensors with `weight_packed`: integers in words, or 4-bit floats in bytes. */
export function packedModule(query: ModuleQuery, packed: TensorEntry, config: MethodQuantization | undefined): ModuleWeights {
  return packed.dtype === "U8" ? packedFloats(query, packed) : packedIntegers(query, packed, config);
}

/**
 * pack-quantized: `weight_packed` I32, each row a stream of codes with their sign bit flipped; `weight_scale` for each
 * group, row or matrix; where asymmetric, `weight_zero_point` I32, packed alike down the rows of each group.
 */
function packedIntegers(query: ModuleQuery, packed: TensorEntry, config: MethodQuantization | undefined): ModuleWeights {
  const { module, rows, columns, find } = query;
  const source = packing(query, packed, config);
  const { bits } = source;
  const scales = requiredTensor(query, `${module}.weight_scale`);
  const { scale, sourceGroup } = scaleGrid(query, scales);
  const groups = Math.ceil(columns / sourceGroup);
  const zeros = find(`${module}.weight_zero_point`);
  if (zeros) expectTensor(zeros, ["I32"], [Math.ceil((rows * bits) / 32), groups]);
  const listed = find(`${module}.weight_g_idx`);
  if (listed) expectTensor(listed, ["I32"], [columns]);
  const held: ModuleTensor[] = [];
  if (zeros) held.push({ role: "held", entry: zeros, binding: BINDINGS.zeros });
  if (listed) held.push({ role: "held", entry: listed, binding: BINDINGS.groups });
  return integerModule({
    query, bits, codes: packed, source, scales, scale, sourceGroup, held,
    zero: zeros ? { kind: "stream", bits, groupStep: 1, wordStep: groups, wordAdd: 0, add: 0 } : { kind: "constant", zero: 2 ** (bits - 1) },
    hasListedGroups: listed !== undefined,
    unread: presentTensors(query, UNREAD),
  });
}

/** Widths and packings that a row of this many words allows: one dense stream, or whole codes per word, as old versions wrote. */
function packing({ module, rows, columns }: ModuleQuery, packed: TensorEntry, config: MethodQuantization | undefined): CodeSource & { bits: number } {
  const words = packed.shape[1];
  expectTensor(packed, ["I32"], [rows, words]);
  const widths = [4, 8, 2, 3, 5, 6, 7];
  const stated = widths.filter((bits) => config?.weightBits.includes(bits));
  for (const bits of stated.length > 0 ? stated : widths) {
    if (words === Math.ceil((columns * bits) / 32)) return { kind: "stream", bits, by: "rows" };
    if (words === Math.ceil(columns / Math.floor(32 / bits))) return { kind: "words", bits };
  }
  throw unsupportedModule(module, `packed as ${words} words for ${columns} columns`);
}

/** nvfp4 and mxfp4: `weight_packed` U8 `[rows, columns / 2]` of 4-bit floats, the first of two low. */
function packedFloats(query: ModuleQuery, packed: TensorEntry): ModuleWeights {
  const { module, rows, columns, find } = query;
  const scales = requiredTensor(query, `${module}.weight_scale`);
  const global = find(`${module}.weight_global_scale`);
  return fourBitFloats(query, packed, scales, global && { entry: global, factor: "over" }, [rows, columns / 2]);
}

/** ModelOpt's nvfp4: as that of compressed-tensors, under other names, and its global scale multiplies. */
export function modeloptModule(query: ModuleQuery, weight: TensorEntry, scales: TensorEntry, global: TensorEntry): ModuleWeights {
  return fourBitFloats(query, weight, scales, { entry: global, factor: "times" }, [query.rows, query.columns / 2]);
}

function fourBitFloats(query: ModuleQuery, codes: TensorEntry, scales: TensorEntry, global: { entry: TensorEntry; factor: "over" | "times" } | undefined, shape: number[]): ModuleWeights {
  expectTensor(codes, ["U8"], shape);
  const { scale, sourceGroup } = scaleGrid(query, scales);
  return codebookModule({
    query, bits: 4, codes, source: { kind: "stream", bits: 4, by: "rows" },
    scales, scale: { ...scale, factor: global?.factor }, sourceGroup,
    held: global ? [heldFactor(global.entry)] : [],
    unread: presentTensors(query, UNREAD),
  }, "e2m1");
}

/** int-quantized: `weight` I8 `[rows, columns]`, `weight_scale`, and `weight_zero_point` I8 where asymmetric. */
export function signedBytesModule(query: ModuleQuery, weight: TensorEntry, scales: TensorEntry): ModuleWeights {
  return signedBytes(query, weight, scales, query.find(`${query.module}.weight_zero_point`), presentTensors(query, UNREAD));
}
