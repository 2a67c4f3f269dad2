import { decodeFloats, type FloatDtype } from "../../src/formats/floats.ts";
import type { WeightFormat } from "../../src/quant/matrix.ts";

/** The tensors of a module as the checkpoint's bytes. */
export interface StoredTensors {
  codes: Uint8Array<ArrayBuffer>;
  scales?: Uint8Array<ArrayBuffer>;
  biases?: Uint8Array<ArrayBuffer>;
}

/** The weights `[rows, columns]` that a checkpoint's tensors mean. */
export function dequantise(format: WeightFormat, columns: number, { codes, scales, biases }: StoredTensors): Float64Array {
  if (!("scales" in format)) return Float64Array.from(decodeFloats(codes, dtypeOf(format.codes)));
  const bits = format.codes === "q4" ? 4 : 8;
  const codesPerWord = 32 / bits;
  const words = new Uint32Array(codes.buffer);
  const scale = decodeFloats(scales!, dtypeOf(format.scales)); // quantised formats have them
  const bias = decodeFloats(biases!, dtypeOf(format.scales)); // quantised formats have them
  return Float64Array.from({ length: words.length * codesPerWord }, (_, i) => {
    const code = (words[Math.floor(i / codesPerWord)] >>> (bits * (i % codesPerWord))) & (2 ** bits - 1);
    const row = Math.floor(i / columns);
    const group = row * (columns / format.group) + Math.floor((i % columns) / format.group);
    return scale[group] * code + bias[group];
  });
}

function dtypeOf(codes: string): FloatDtype {
  return codes.toUpperCase() as FloatDtype; // "f16" is F16, and so on
}
