import { isFloatDtype } from "../formats/floats.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import type { QuantizedWidth } from "../quant/quantise.ts";

/** What float weights become while they load. */
export type Quantize = QuantizedWidth | "none";

// Every WebGPU device can make one buffer of this size, and a laptop's processor reads it 200 times a second: floats of
// so small a model cost nothing that narrower weights would save.
const KEPT_BYTES = 256 * 2 ** 20;
// Smaller models lose visibly at 4 bits, and take 1.1 GB at most at 8; larger ones gain memory and speed that they need.
const SMALL_PARAMETERS = 1e9;

/**
 * Choose what the floats of a checkpoint become, by its size alone: a page cannot learn how much memory the GPU has, and
 * so everybody who loads a model gets the same one. What was quantised by its authors stays as they left it.
 */
export function chooseQuantize(tensors: readonly TensorEntry[]): Quantize {
  const matrices = tensors.filter(({ shape }) => shape.length >= 2);
  if (!matrices.every(({ dtype }) => isFloatDtype(dtype))) return "none";
  const byteLength = matrices.reduce((sum, { begin, end }) => sum + end - begin, 0);
  if (byteLength <= KEPT_BYTES) return "none";
  const parameters = matrices.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return parameters < SMALL_PARAMETERS ? "q8" : "q4";
}
