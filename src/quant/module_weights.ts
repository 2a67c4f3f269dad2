import { HearthError } from "../errors.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import type { WeightFormat } from "./matrix.ts";

/** What a tensor holds that goes to the GPU as it is stored, or nearly: MLX's tensors, and floats; or floats that are quantised on the way. */
export type TensorRole = "codes" | "scales" | "biases" | "quantised";

/** How codes lie in a tensor that is repacked code by code. */
export type CodeSource =
  /** One little-endian stream for each row, or for each row down the columns of words. `swap`: the first of two codes has the higher bits. `flip`: a mask that makes signed codes unsigned. */
  | { kind: "stream"; bits: number; by: "rows" | "columns"; swap?: boolean; flip?: number }
  /** As many codes in each word as fit whole. */
  | { kind: "words"; bits: number }
  | { kind: "awq" }
  /** A byte for each column of as many rows as it has codes, the first of which lie in the first part of the matrix. */
  | { kind: "planes"; bits: number; highFirst: boolean };

/** One tensor of a module. */
export type ModuleTensor =
  | { role: TensorRole; entry: TensorEntry }
  | { role: "packed"; entry: TensorEntry; source: CodeSource }
  /** Read whole, for the module's last step. `prepare` may check the bytes or replace them; without a binding they are only checked. */
  | { role: "held"; entry: TensorEntry; binding?: number; prepare?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> };

/** Where a row's scales are stored: scale (row / blockRows) * rowStep + group * groupStep of the tensor held for binding 0. */
export interface ScaleSource {
  precision: "f16" | "bf16" | "f32" | "e8m0" | "e4m3" | { nestedBlock: number };
  blockRows: number;
  rowStep: number;
  groupStep: number;
  divisor?: number;
  /** What the scale of the whole matrix, held for binding 4, does to the others. */
  factor?: "times" | "over";
}

/** Where zero points are: the same everywhere, or in the tensor held for binding 5; or where biases are that stand instead. */
export type ZeroSource =
  | { kind: "constant"; zero: number }
  | { kind: "stream"; bits: number; groupStep: number; wordStep: number; wordAdd: number; add: number }
  | { kind: "awq" }
  | { kind: "bytes"; rowStep: number; groupStep: number }
  | { kind: "floats"; rowStep: number; groupStep: number }
  /** w = scale * (code - zero) + bias, with biases of binding 5. */
  | { kind: "bias"; rowStep: number; groupStep: number; zero: number };

/** A module's last step, once all its tensors came: scales and zero points into the runtime's form. */
export interface Finish {
  scale: ScaleSource;
  zero: ZeroSource;
  /** Columns that share a stored scale. */
  sourceGroup: number;
  /** Whether the tensor held for binding 7 lists the group of every column. */
  hasListedGroups: boolean;
}

/** A linear or embedding module as its checkpoint stores it: a logical `[rows, columns]` matrix. */
export interface ModuleWeights {
  format: WeightFormat;
  rows: number;
  columns: number;
  tensors: readonly ModuleTensor[];
  finish?: Finish;
  /** Tensors of the module that computing does not need. */
  unread?: readonly TensorEntry[];
}

/** Finds a tensor of the checkpoint by name. */
export type FindTensor = (name: string) => TensorEntry | undefined;

/** A module to be recognised: its name, the shape that the config gives it, and how to find its tensors. */
export interface ModuleQuery {
  module: string;
  rows: number;
  columns: number;
  find: FindTensor;
}

/** Bindings of the last step's shaders. */
export const BINDINGS = { scales: 0, nestedMap: 1, nestedScales: 2, nestedOffset: 3, factor: 4, zeros: 5, target: 6, groups: 7 } as const;

/** A tensor that a format needs beside the one it was recognised by. */
export function requiredTensor({ find }: ModuleQuery, name: string): TensorEntry {
  const entry = find(name);
  if (!entry) throw new HearthError("corrupt-checkpoint", `${name}: expected beside the quantised weight, found in no file`);
  return entry;
}

/** Check a tensor's type and shape. */
export function expectTensor({ name, dtype, shape }: TensorEntry, dtypes: readonly string[], expected: readonly number[]): void {
  if (dtypes.includes(dtype) && shape.length === expected.length && shape.every((size, i) => size === expected[i])) return;
  throw new HearthError("corrupt-checkpoint", `${name}: expected ${dtypes.join(" or ")} [${expected}], found ${dtype} [${shape}]`);
}

/** Those of a module's tensors, by suffix, that exist. */
export function presentTensors({ module, find }: ModuleQuery, suffixes: readonly string[]): TensorEntry[] {
  return suffixes.flatMap((suffix) => find(`${module}.${suffix}`) ?? []);
}

/** The same tensor with all dimensions but the last `kept` as one: matrices of experts lie one under another. */
export function withRowsJoined(entry: TensorEntry, kept: number): TensorEntry {
  const rows = entry.shape.slice(0, -kept).reduce((product, size) => product * size, 1);
  return { ...entry, shape: [rows, ...entry.shape.slice(-kept)] };
}

/** Rows and columns of a matrix, or of several stacked in one tensor, one under another. */
export function stackedShape({ name, shape }: TensorEntry): [rows: number, columns: number] {
  if (shape.length === 2) return [shape[0], shape[1]];
  if (shape.length === 3) return [shape[0] * shape[1], shape[2]];
  throw new HearthError("corrupt-checkpoint", `${name}: expected two dimensions, or three, found [${shape}]`);
}
