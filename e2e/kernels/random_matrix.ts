import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Uploader } from "../../src/gpu/upload.ts";
import { allocateMatrix, type Matrix, type WeightFormat } from "../../src/quant/matrix.ts";
import type { TensorRole } from "../../src/quant/module_weights.ts";
import { TensorRepacker } from "../../src/quant/repack.ts";
import { dequantise, type StoredTensors } from "../reference/dequantise.ts";
import { encodeBfloat, encodeHalf } from "../reference/half.ts";
import type { RandomValues } from "./random_values.ts";

/** A module as a checkpoint stores it. */
export interface StoredModule {
  format: WeightFormat;
  rows: number;
  columns: number;
  tensors: StoredTensors;
}

/** Make a module of random weights of variance about 1 / columns. */
export function randomModule(random: RandomValues, format: WeightFormat, rows: number, columns: number): StoredModule {
  const spread = 1 / Math.sqrt(columns);
  if (!("scales" in format)) {
    return { format, rows, columns, tensors: { codes: encodeFloats(random.floats(rows * columns, spread), format.codes) } };
  }
  const bits = format.codes === "q4" ? 4 : 8;
  const words = Uint32Array.from({ length: (rows * columns * bits) / 32 }, () => random.integer(2 ** 32));
  const groups = (rows * columns) / format.group;
  const middle = (2 ** bits - 1) / 2;
  const scales = Float32Array.from({ length: groups }, () => (random.normal() * spread) / middle);
  const biases = scales.map((scale) => -scale * middle + 0.1 * spread * random.normal());
  const codes = new Uint8Array(words.buffer);
  return { format, rows, columns, tensors: { codes, scales: encodeFloats(scales, format.scales), biases: encodeFloats(biases, format.scales) } };
}

function encodeFloats(values: Float32Array<ArrayBuffer>, precision: string): Uint8Array<ArrayBuffer> {
  if (precision === "f32") return new Uint8Array(values.buffer);
  const encode = precision === "f16" ? encodeHalf : encodeBfloat;
  return new Uint8Array(Uint16Array.from(values, encode).buffer);
}

/** The weights that a module means, `[rows, columns]`. */
export function weightsOf({ format, columns, tensors }: StoredModule): Float64Array {
  return dequantise(format, columns, tensors);
}

/** A module's place in a matrix: row r lands in row `start + r * stride`. */
export interface Place {
  matrix: Matrix;
  start: number;
  stride: number;
}

/** Send a module's tensors through the repacker, in slices of given length. */
export async function repackModule(gpu: Gpu, uploader: Uploader, { matrix, start, stride }: Place, module: StoredModule, sliceBytes: number): Promise<void> {
  const target = { matrix, moves: [{ from: 0, rows: module.rows, to: start, stride }] };
  for (const role of ["codes", "scales", "biases"] as const satisfies readonly TensorRole[]) {
    const bytes = module.tensors[role];
    if (!bytes) continue;
    const repacker = await TensorRepacker.create(gpu, uploader, target, module.rows, role, module.format);
    for (let begin = 0; begin < bytes.byteLength; begin += sliceBytes) await repacker.write(bytes.subarray(begin, begin + sliceBytes));
    await repacker.end();
  }
}

/** Upload a module as a matrix of its own, allocated by `limited` where that differs. */
export async function matrixOf(gpu: Gpu, uploader: Uploader, module: StoredModule, limited: Gpu = gpu): Promise<Matrix> {
  const matrix = await allocateMatrix(limited, "test matrix", module.columns, [module]);
  await repackModule(gpu, uploader, { matrix, start: 0, stride: 1 }, module, 999_999);
  return matrix;
}

/** The same device, as if its bindings could show no more than `bytes`: for allocating matrices in parts. */
export function withBindingLimit(gpu: Gpu, bytes: number): Gpu {
  return new Proxy(gpu, {
    get(target, name) {
      if (name === "maxBindingBytes") return bytes;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value; // private members know only the GPU itself
    },
  });
}

/** Every format that weights may have on the GPU. */
export const ALL_FORMATS: readonly WeightFormat[] = [
  ...(["q4", "q8"] as const).flatMap((codes) =>
    (["f16", "bf16", "f32"] as const).flatMap((scales) => [32, 64, 128].map((group) => ({ codes, scales, group }))),
  ),
  { codes: "f32" },
  { codes: "f16" },
  { codes: "bf16" },
];
