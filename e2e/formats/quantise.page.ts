import { readBuffer } from "../../src/gpu/readback.ts";
import { Uploader } from "../../src/gpu/upload.ts";
import { allocateMatrix, codeBytesPerRow, destroyMatrix, pairBytesPerRow } from "../../src/quant/matrix.ts";
import { ModuleRepack } from "../../src/quant/module_repack.ts";
import { quantisedOnLoad, type QuantizedWidth } from "../../src/quant/quantise.ts";
import { withGpu } from "../kernels/kernel_runs.ts";
import { randomValues } from "../kernels/random_values.ts";
import { encodeBfloat, encodeHalf } from "../reference/half.ts";
import { quantiseGroup } from "../reference/mlx_quantise.ts";
import { floats } from "./stored_module.ts";

/** How many codes, scales and biases differ from the reference in a single bit or more. */
export interface Differences {
  name: string;
  codes: number;
  pairs: number;
}

const ROWS = 64;
const SLICE_BYTES = 1009;
const TYPES = { F32: "f32", F16: "f16", BF16: "bf16" } as const;

/** Quantise random weights of every float type to every width, in both group sizes, and compare with the reference. */
export async function quantiseEverything(): Promise<Differences[]> {
  return withGpu({}, async (gpu) => {
    const uploader = await Uploader.create(gpu);
    const all: Differences[] = [];
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      for (const width of ["q4", "q8"] as const) {
        for (const columns of [96, 192]) {
          const { values, bytes } = floats(dtype, oddWeights(columns));
          const entry = { name: "m.weight", dtype, shape: [ROWS, columns], begin: 0, end: bytes.byteLength };
          const module = quantisedOnLoad({ format: { codes: TYPES[dtype] }, rows: ROWS, columns, tensors: [{ role: "codes", entry }] }, width);
          const matrix = await allocateMatrix(gpu, "m", columns, [module]);
          const consumer = await new ModuleRepack(gpu, uploader, module, { matrix, moves: [{ from: 0, rows: ROWS, to: 0, stride: 1 }] }).consumer(module.tensors[0]);
          for (let begin = 0; begin < bytes.byteLength; begin += SLICE_BYTES) await consumer.write(bytes.subarray(begin, begin + SLICE_BYTES));
          await consumer.end();
          const [{ codes, pairs, format }] = matrix.parts;
          const found = {
            codes: new Uint8Array(await readBuffer(gpu.device, codes, ROWS * codeBytesPerRow(format, columns))),
            pairs: new Uint8Array(await readBuffer(gpu.device, pairs!, ROWS * pairBytesPerRow(format, columns))), // quantised formats have them
          };
          const expected = reference(values, columns === 96 ? 32 : 64, width, dtype);
          all.push({ name: `${dtype} to ${width}, ${columns} columns`, codes: countDifferent(found.codes, expected.codes), pairs: countDifferent(found.pairs, expected.pairs) });
          destroyMatrix(matrix);
        }
      }
    }
    uploader.destroy();
    return all;
  });
}

/** Random weights, groups that are all zero, all alike, or of one sign, and a row that begins with the group whose codes are documented. */
function oddWeights(columns: number): number[] {
  const random = randomValues(columns);
  return Array.from({ length: ROWS * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    const value = 0.05 * random.normal();
    return row === 0 ? 0 : row === 1 ? 0.25 : row === 2 ? Math.abs(value) + 0.01 : row === 3 ? -Math.abs(value) : row === 4 ? documented(i % columns) : value;
  });
}

function documented(i: number): number {
  return Number((0.9 * Math.sin(0.7 * i) + 0.1).toFixed(4));
}

function reference(weights: readonly number[], group: number, width: QuantizedWidth, dtype: "F32" | "F16" | "BF16"): { codes: Uint8Array; pairs: Uint8Array } {
  const bits = width === "q4" ? 4 : 8;
  const codes = new Uint8Array((weights.length * bits) / 8);
  const pairs: number[] = [];
  for (let first = 0; first < weights.length; first += group) {
    const quantised = quantiseGroup(weights.slice(first, first + group), bits);
    pairs.push(quantised.scale, quantised.bias);
    for (const [i, code] of quantised.codes.entries()) {
      const place = first + i;
      // The runtime's order: element 8j + b low in byte b of word j, element 8j + 4 + b high.
      if (bits === 8) codes[place] = code;
      else codes[4 * Math.floor(place / 8) + (place % 4)] |= code << (place % 8 < 4 ? 0 : 4);
    }
  }
  const encode = dtype === "F16" ? encodeHalf : encodeBfloat;
  const bytes = dtype === "F32" ? Float32Array.from(pairs).buffer : Uint16Array.from(pairs, encode).buffer;
  return { codes, pairs: new Uint8Array(bytes) };
}

function countDifferent(found: Uint8Array, expected: Uint8Array): number {
  if (found.length !== expected.length) return Infinity;
  return found.reduce((count, byte, i) => count + Number(byte !== expected[i]), 0);
}
