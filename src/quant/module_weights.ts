import type { TensorEntry } from "../formats/safetensors.ts";
import type { WeightFormat } from "./matrix.ts";

/** What a tensor of a module holds. */
export type TensorRole = "codes" | "scales" | "biases";

/** A linear or embedding module as its checkpoint stores it: a logical `[rows, columns]` matrix. */
export interface ModuleWeights {
  format: WeightFormat;
  rows: number;
  columns: number;
  tensors: readonly { role: TensorRole; entry: TensorEntry }[];
}

/** Finds a tensor of the checkpoint by name. */
export type FindTensor = (name: string) => TensorEntry | undefined;

/** Every weight format that can be read, for error messages. */
export const SUPPORTED_FORMATS = "F32, F16 and BF16 weights, and MLX affine quantisation at 4 or 8 bits in groups of 32, 64 or 128";
