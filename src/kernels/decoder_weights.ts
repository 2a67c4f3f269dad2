import type { Gpu } from "../gpu/gpu.ts";
import { matrixBytes, type Matrix } from "../quant/matrix.ts";
import type { RopeSpec } from "./decoder_spec.ts";

/** A fused linear layer on the GPU. */
export interface LinearWeights {
  matrix: Matrix;
  /** f32 `[rows]`, padded to pairs. */
  bias: GPUBuffer | undefined;
}

/** One layer's weights on the GPU. */
export interface LayerWeights {
  attentionNorm: GPUBuffer; // f32 [hiddenSize, padded], striped
  qkv: LinearWeights; // rows: queries, keys, values
  headGains: GPUBuffer; // f32 [2, headDim]: queries, keys; unread where there are no head norms
  output: LinearWeights;
  mlpNorm: GPUBuffer; // f32 [hiddenSize, padded], striped
  gateUp: LinearWeights; // rows: gate 0, up 0, gate 1, up 1, ...
  down: LinearWeights;
}

/** A decoder's weights on the GPU. */
export interface DecoderWeights {
  embedding: Matrix;
  /** The embedding itself when they are tied. */
  head: Matrix;
  finalNorm: GPUBuffer; // f32 [hiddenSize, padded], striped
  layers: readonly LayerWeights[];
}

/** Bytes of weights that one decoded token reads: all of them, with the embedding table only as a tied head. */
export function bytesReadPerToken(weights: DecoderWeights): number {
  const layers = weights.layers.flatMap((layer) => [layer.qkv, layer.output, layer.gateUp, layer.down]);
  return layers.reduce((sum, { matrix }) => sum + matrixBytes(matrix), matrixBytes(weights.head));
}

/** Bytes of all matrices. */
export function weightBytes(weights: DecoderWeights): number {
  const untied = weights.embedding === weights.head ? 0 : matrixBytes(weights.embedding);
  return bytesReadPerToken(weights) + untied;
}

/** Make a storage buffer that holds f32 values. */
export async function createVector(gpu: Gpu, label: string, values: Float32Array<ArrayBuffer>): Promise<GPUBuffer> {
  const buffer = await gpu.allocate(label, values.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
  gpu.device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** Cosine and sine of every position and pair, `[contextLength, rotaryDim / 2, 2]`, computed in f64: WGSL promises its own only near zero. */
export function ropeTable(rope: RopeSpec, contextLength: number): Float32Array<ArrayBuffer> {
  const pairs = rope.rotaryDim / 2;
  const table = new Float32Array(contextLength * pairs * 2);
  for (let position = 0; position < contextLength; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * rope.inverseFrequencies[pair];
      table[2 * (position * pairs + pair)] = Math.cos(angle) * rope.attentionFactor;
      table[2 * (position * pairs + pair) + 1] = Math.sin(angle) * rope.attentionFactor;
    }
  }
  return table;
}
