import type { QUANTIZATION_FILES } from "../../src/formats/quantization.ts";
import type { RandomValues } from "../kernels/random_values.ts";
import { encodeBfloat, encodeHalf } from "../reference/half.ts";

/** A tensor of a module, by what its name ends in. */
export interface StoredTensor {
  suffix: string;
  /** Whether no dot stands before the suffix. */
  attached?: boolean;
  dtype: string;
  shape: number[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** The whole name of a module's tensor. */
export function tensorName(module: string, { suffix, attached }: StoredTensor): string {
  return attached ? module + suffix : `${module}.${suffix}`;
}

/** A module as a checkpoint stores it, and the weights `[rows, columns]` that it means. */
export interface StoredModule {
  tensors: StoredTensor[];
  weights: Float64Array;
}

/** One checkpoint format: what its config says, and how it stores random weights of variance about 1 / columns. */
export interface FormatCase {
  name: string;
  config: Record<string, unknown>;
  pack: (random: RandomValues, rows: number, columns: number, module: string) => StoredModule;
  /** A file beside config.json that says how the weights are packed. */
  file?: { name: (typeof QUANTIZATION_FILES)[number]; text: string };
  /** Whether the embedding is stored alike. */
  packsEmbedding?: boolean;
  /** Weights are kept in half floats, because the runtime's groups cannot follow the format's. */
  isRounded?: boolean;
}

/** What stands at a row and column. */
export type Grid = (row: number, column: number) => number;

/** A matrix, row by row. */
export function weightsOf(rows: number, columns: number, weight: Grid): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => weight(Math.floor(i / columns), i % columns));
}

/** Numbers rounded to a type's precision, and their bytes. */
export function floats(dtype: "F16" | "BF16" | "F32", values: readonly number[]): { values: number[]; bytes: Uint8Array<ArrayBuffer> } {
  if (dtype === "F32") return { values: values.map(Math.fround), bytes: new Uint8Array(Float32Array.from(values).buffer) };
  const bits = Uint16Array.from(values, dtype === "F16" ? encodeHalf : encodeBfloat);
  return { values: [...bits].map(dtype === "F16" ? half : bfloat), bytes: new Uint8Array(bits.buffer) };
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

function bfloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits * 65536).buffer)[0];
}

/** Whole numbers as bytes. */
export function int32(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** Scales of about `size`. */
export function randomScales(random: RandomValues, count: number, size: number): number[] {
  return Array.from({ length: count }, () => size * (0.5 + random.integer(1000) / 1000));
}

/** Codes from 0 to `codes - 1`. */
export function randomCodes(random: RandomValues, count: number, codes: number): number[] {
  return Array.from({ length: count }, () => random.integer(codes));
}

/** Scale of codes of `bits` bits for weights of variance about 1 / columns. */
export function scaleSize(columns: number, bits: number): number {
  return Math.sqrt(12 / columns) / 2 ** bits;
}
