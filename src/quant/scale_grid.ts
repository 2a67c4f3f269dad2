import { HearthError } from "../errors.ts";
import { decodeFloats, isFloatDtype } from "../formats/floats.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { scalePrecision } from "./grouped.ts";
import { BINDINGS, type ModuleQuery, type ModuleTensor, type ScaleSource } from "./module_weights.ts";

const USUAL_BLOCK = 128; // rows and columns of a scale's block in every published FP8 checkpoint

/**
 * How scales `[]`, `[1]`, `[rows]`, `[rows, groups]` or `[blocks of rows, blocks of columns]` cover a matrix, by their
 * shape. `stated` is what the config says of rows and columns that share one, where a shape leaves it open.
 */
export function scaleGrid({ rows, columns }: ModuleQuery, entry: TensorEntry, stated: readonly (number | undefined)[] = []): { scale: ScaleSource; sourceGroup: number } {
  const { name, dtype, shape } = entry;
  const precision = dtype === "U8" ? "e8m0" : scalePrecision(dtype);
  if (!precision || shape.length > 2) throw new HearthError("corrupt-checkpoint", `${name}: expected scales, found ${dtype} [${shape}]`);
  const [down = 1, across = 1] = shape;
  const isBlocks = down > 1 && down < rows;
  const blockRows = down === rows ? 1 : sharing(rows, down, [stated[0], USUAL_BLOCK]);
  const sourceGroup = sharing(columns, across, [stated[1], ...(isBlocks ? [USUAL_BLOCK, columns / across] : [columns / across, USUAL_BLOCK])]);
  if (blockRows === undefined || sourceGroup === undefined) {
    throw new HearthError("corrupt-checkpoint", `${name}: scales [${shape}] do not fit a weight [${rows}, ${columns}]`);
  }
  return { scale: { precision, blockRows, rowStep: down === 1 ? 0 : across, groupStep: across === 1 ? 0 : 1 }, sourceGroup };
}

/** How many of `length` share one of `count` scales, the last of which may cover fewer. */
function sharing(length: number, count: number, guesses: readonly (number | undefined)[]): number | undefined {
  if (count === 1) return length;
  return guesses.find((size) => size !== undefined && Number.isInteger(size) && size > 0 && Math.ceil(length / size) === count);
}

/** A tensor of floats of any type that the last step reads as f32, each after `change`. */
export function heldFloats(entry: TensorEntry, binding: number, change?: (value: number) => number): ModuleTensor {
  return { role: "held", entry, binding, prepare: asFloats(entry, change) };
}

/** How to read a tensor of floats of any type as f32, each after `change`. */
export function asFloats({ name, dtype, shape }: TensorEntry, change?: (value: number) => number): (bytes: Uint8Array) => Uint8Array<ArrayBuffer> {
  if (!isFloatDtype(dtype)) throw new HearthError("corrupt-checkpoint", `${name}: expected floats, found ${dtype} [${shape}]`);
  return (bytes) => {
    const values = decodeFloats(bytes, dtype);
    return new Uint8Array((change ? values.map(change) : values).buffer);
  };
}

/** The one scale of a whole matrix. */
export function heldFactor(entry: TensorEntry): ModuleTensor {
  if (entry.end - entry.begin > 4) throw new HearthError("corrupt-checkpoint", `${entry.name}: expected one scale for the whole matrix, found [${entry.shape}]`);
  return heldFloats(entry, BINDINGS.factor);
}
