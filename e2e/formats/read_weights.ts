import { encodeDispatches, prepareDispatch } from "../../src/gpu/dispatch.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { assembleShader } from "../../src/gpu/shader.ts";
import { weightBindings, weightConstants, weightShaderParts, type Matrix, type MatrixPart } from "../../src/quant/matrix.ts";

const READ_WEIGHTS = `
@group(0) @binding(0) var<storage, read_write> values: array<vec4f>; // [N, K / 4]
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = (id.y * (K / 32u) + id.x) * 8u;
  let w = load_weights(id.y, id.x);
  values[first] = w[0];
  values[first + 1u] = w[1];
  values[first + 2u] = w[2];
  values[first + 3u] = w[3];
  values[first + 4u] = w[4];
  values[first + 5u] = w[5];
  values[first + 6u] = w[6];
  values[first + 7u] = w[7];
}`;

/** The weights of a matrix, as kernels see them. */
export async function readWeights(gpu: Gpu, matrix: Matrix): Promise<Float32Array> {
  const all = new Float32Array(matrix.rows * matrix.paddedColumns);
  for (const part of matrix.parts) all.set(await readPart(gpu, matrix, part), part.rowStart * matrix.paddedColumns);
  return all;
}

async function readPart(gpu: Gpu, matrix: Matrix, part: MatrixPart): Promise<Float32Array> {
  const { device } = gpu;
  const byteLength = 4 * part.rows * matrix.paddedColumns;
  const values = await gpu.allocate("values", byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const pipeline = await gpu.compile("read_weights", assembleShader([...weightShaderParts(part.format), READ_WEIGHTS], weightConstants(matrix, part)));
  const dispatch = prepareDispatch(device, "read_weights", pipeline, { 0: values, ...weightBindings(part) }, [matrix.paddedColumns / 32, part.rows, 1]);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encodeDispatches(pass, [dispatch]);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const bytes = await readBuffer(device, values, byteLength);
  values.destroy();
  return new Float32Array(bytes);
}

/** Largest difference, relative to the root mean square of all weights. */
export function worstWeight(found: Float32Array, expected: ArrayLike<number>): number {
  const size = Math.sqrt(Array.from(expected).reduce((sum, weight) => sum + weight * weight, 0) / expected.length);
  return found.reduce((most, value, i) => Math.max(most, Number.isNaN(value) ? Infinity : Math.abs(value - expected[i])), 0) / size;
}

/** Largest difference of logits, relative to the standard deviation of their row of `width`. */
export function worstLogit(found: Float32Array, expected: Float32Array, width: number): number {
  let most = found.length === expected.length ? 0 : Infinity;
  for (let begin = 0; begin < expected.length; begin += width) {
    const row = expected.subarray(begin, begin + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width);
    for (const [i, value] of row.entries()) most = Math.max(most, Math.abs(found[begin + i] - value) / deviation);
  }
  return Number.isNaN(found[0]) ? Infinity : most;
}
