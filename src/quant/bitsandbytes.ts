import { HearthError } from "../errors.ts";
import { decodeFloats } from "../formats/floats.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { codebookModule, integerModule } from "./grouped.ts";
import { BINDINGS, expectTensor, presentTensors, requiredTensor, type ModuleQuery, type ModuleTensor, type ModuleWeights } from "./module_weights.ts";
import { heldFloats } from "./scale_grid.ts";

/** The code tables that the shaders know, against which a checkpoint's own is checked. */
const CODEBOOKS = {
  nf4: [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ],
  fp4: [0, 0.0052083335, 0.6666667, 1, 0.33333334, 0.5, 0.16666667, 0.25, 0, -0.0052083335, -0.6666667, -1, -0.33333334, -0.5, -0.16666667, -0.25],
};
const CODEBOOK_TOLERANCE = 1e-4; // far below the distance of two neighbours

/** Which 4-bit type a module has, by the name of the tensor that describes it. */
export function bitsandbytesState({ module, find }: ModuleQuery): { type: "nf4" | "fp4"; entry: TensorEntry } | undefined {
  for (const type of ["nf4", "fp4"] as const) {
    const entry = find(`${module}.weight.quant_state.bitsandbytes__${type}`);
    if (entry) return { type, entry };
  }
  return undefined;
}

/**
 * bitsandbytes at 4 bits: `weight` holds all rows as one stream, the first of two codes high; `weight.absmax` scales
 * each block of it, and is itself quantised where there is a `nested_absmax`.
 */
export function fourBitModule(query: ModuleQuery, weight: TensorEntry, state: { type: "nf4" | "fp4"; entry: TensorEntry }): ModuleWeights {
  const { module, rows, columns, find } = query;
  const count = rows * columns;
  const name = (suffix: string) => `${module}.weight.${suffix}`;
  const absmax = requiredTensor(query, name("absmax"));
  const blocks = absmax.shape.reduce((product, size) => product * size, 1);
  if (weight.end - weight.begin !== count / 2) {
    throw new HearthError("corrupt-checkpoint", `${weight.name}: expected ${count / 2} bytes for [${rows}, ${columns}] by config.json, found ${weight.end - weight.begin}`);
  }
  const blockSize = count / blocks;
  if (columns % blockSize !== 0) throw unsupportedModule(module, `quantised in blocks of ${blockSize} that cross rows of ${columns} columns`);
  const nested = find(name("nested_absmax"));
  expectTensor(absmax, [nested ? "U8" : "F32"], absmax.shape);
  const nestedBlock = nested ? nestedBlockSize(blocks, nested) : 1;
  const map = find(name("quant_map"));
  return codebookModule({
    query, bits: 4, codes: weight, source: { kind: "stream", bits: 4, by: "rows", swap: true },
    scales: absmax,
    scale: { precision: nested ? { nestedBlock } : "f32", blockRows: 1, rowStep: columns / blockSize, groupStep: 1 },
    sourceGroup: blockSize,
    held: [
      ...(map ? [checkedMap(map, state.type)] : []),
      ...(nested ? [
        heldFloats(nested, BINDINGS.nestedScales),
        heldFloats(requiredTensor(query, name("nested_quant_map")), BINDINGS.nestedMap),
        { role: "held", entry: state.entry, binding: BINDINGS.nestedOffset, prepare: nestedOffset } as const,
      ] : []),
    ],
    unread: nested ? [] : [state.entry],
  }, state.type);
}

function nestedBlockSize(blocks: number, nested: TensorEntry): number {
  const count = nested.shape[0];
  const size = count === 1 ? blocks : 256; // the only size that bitsandbytes writes
  if (Math.ceil(blocks / size) === count) return size;
  throw new HearthError("corrupt-checkpoint", `${nested.name}: expected a scale for every 256 of ${blocks} scales, found [${nested.shape}]`);
}

function checkedMap(entry: TensorEntry, type: "nf4" | "fp4"): ModuleTensor {
  expectTensor(entry, ["F32"], [16]);
  const check = (bytes: Uint8Array<ArrayBuffer>) => {
    const map = decodeFloats(bytes, "F32");
    if (map.every((value, i) => Math.abs(value - CODEBOOKS[type][i]) < CODEBOOK_TOLERANCE)) return bytes;
    throw new HearthError("unsupported-checkpoint", `${entry.name}: expected the codes of ${type}, found others: ${map.join(", ")}`);
  };
  return { role: "held", entry, prepare: check };
}

/** The offset of quantised scales, from the JSON that describes the tensor. */
function nestedOffset(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = JSON.parse(new TextDecoder().decode(bytes)) as { nested_offset?: unknown };
  if (typeof state.nested_offset !== "number") throw new HearthError("corrupt-checkpoint", `a bitsandbytes quant_state: expected nested_offset to be a number, found ${String(state.nested_offset)}`);
  return new Uint8Array(Float32Array.of(state.nested_offset).buffer);
}

/** bitsandbytes at 8 bits: `weight` I8 `[rows, columns]` with `SCB`, the largest of each row; w = weight * SCB / 127. */
export function eightBitModule(query: ModuleQuery, weight: TensorEntry, largest: TensorEntry): ModuleWeights {
  const { rows, columns } = query;
  expectTensor(weight, ["I8"], [rows, columns]);
  expectTensor(largest, ["F32"], [rows]);
  return integerModule({
    query, bits: 8, codes: weight, source: { kind: "stream", bits: 8, by: "rows", flip: 128 },
    scales: largest, scale: { precision: "f32", blockRows: 1, rowStep: 1, groupStep: 0, divisor: 127 }, sourceGroup: columns,
    zero: { kind: "constant", zero: 128 },
    unread: presentTensors(query, ["weight_format"]),
  });
}
