import type { Gpu } from "../gpu/gpu.ts";
import { matrixBytes, type Matrix } from "../quant/matrix.ts";
import type { DecoderSpec } from "./decoder_spec.ts";
import type { RopeSpec } from "./rope_spec.ts";

/** A fused linear layer on the GPU. */
export interface LinearWeights {
  matrix: Matrix;
  /** f32 `[rows]`, padded to pairs. */
  bias: GPUBuffer | undefined;
}

/** A norm on the GPU: of whole rows, or of `groups` equal parts of them. */
export interface NormWeights {
  gains: GPUBuffer; // f32: [groups * width, padded], then as many biases; striped where they meet the residual stream
  width: number;
  groups: number;
  isCentred: boolean;
  epsilon: number;
  biasStart: number;
}

/** Attention on the GPU. */
export interface AttentionWeights {
  qkv: LinearWeights; // rows: queries, keys, values
  headGains: GPUBuffer; // f32 [2, headDim] gains of queries and keys, then [heads] sinks; zero where a family has none
  queryNorm: NormWeights | undefined; // of all query heads side by side
  keyNorm: NormWeights | undefined;
  valueNorm: NormWeights | undefined; // of every value head
  outputNorm: NormWeights | undefined; // of what the output projection reads
  output: LinearWeights;
}

/** A recurrence on the GPU. */
export interface RecurrentWeights {
  input: LinearWeights;
  kernel: GPUBuffer; // f32 [channels, taps], then [channels] biases
  parameters: GPUBuffer | undefined; // f32; of a delta net [valueHeads] decay, [valueHeads] its bias, [valueDim] gains; of Mamba [3, heads]
  outputNorm: NormWeights | undefined; // of what the output projection reads
  output: LinearWeights;
}

/** An MLP on the GPU. */
export interface MlpWeights {
  up: LinearWeights; // rows when gated: gate 0, up 0, gate 1, up 1, ...
  slopes: GPUBuffer | undefined; // f32 [4], of a learned activation
  downNorm: NormWeights | undefined; // of what the last product reads
  down: LinearWeights;
}

/** A mixture of experts on the GPU; the experts' matrices lie one under another. */
export interface MoeWeights {
  router: LinearWeights;
  perExpert: GPUBuffer; // f32 [experts]: factors of their weights, or what is added before they are chosen
  norms: MoeNormWeights | undefined;
  up: LinearWeights;
  down: LinearWeights;
}

/** Norms of experts that read the residual stream apart from the layer's MLP. */
export interface MoeNormWeights {
  router: NormWeights;
  experts: NormWeights;
  mlpPost: NormWeights;
  expertsPost: NormWeights;
}

/** One layer's weights on the GPU. */
export interface LayerWeights {
  attentionNorm: NormWeights | undefined;
  attention: AttentionWeights | undefined;
  recurrent: RecurrentWeights | undefined;
  attentionPostNorm: NormWeights | undefined;
  mlpNorm: NormWeights | undefined;
  mlp: MlpWeights | undefined;
  moe: MoeWeights | undefined;
  mlpPostNorm: NormWeights | undefined;
  ownInput: OwnInputWeights | undefined;
  scalar: GPUBuffer | undefined; // f32 [1]
  altup: AltupLayerWeights | undefined;
}

/** What a layer does with all streams. */
export interface AltupLayerWeights {
  norm: NormWeights;
  router: LinearWeights;
  prediction: GPUBuffer; // f32 [streams * streams, streams]
  correction: GPUBuffer; // f32 [streams, streams]
  outputScale: GPUBuffer; // f32 [hiddenSize, padded], striped
  laurel: { left: LinearWeights; right: LinearWeights; norm: NormWeights };
}

/** The branch of a layer's own input. */
export interface OwnInputWeights {
  gate: LinearWeights;
  first: GPUBuffer; // u32 [1]: where the layer's own input begins among those of all layers
  projection: LinearWeights;
  norm: NormWeights;
}

/** What makes the layers' own inputs. */
export interface PerLayerWeights {
  embedding: Matrix;
  projection: LinearWeights;
  norm: NormWeights; // of each layer's part
}

/** A decoder's weights on the GPU. */
export interface DecoderWeights {
  embedding: Matrix;
  /** Learned positions, where the family has them. */
  positions: Matrix | undefined;
  /** The embedding itself when they are tied. */
  head: Matrix;
  headBias: GPUBuffer | undefined; // f32 [vocabSize], padded to pairs
  finalNorm: NormWeights;
  perLayer: PerLayerWeights | undefined;
  altup: { projections: readonly LinearWeights[]; unembeddings: readonly LinearWeights[] } | undefined;
  layers: readonly LayerWeights[];
}

/** Every matrix of a layer; of experts, whole. */
export function layerMatrices({ attention, recurrent, mlp, moe, ownInput, altup }: LayerWeights): Matrix[] {
  const linears = [
    ...(attention ? [attention.qkv, attention.output] : []),
    ...(recurrent ? [recurrent.input, recurrent.output] : []),
    ...(mlp ? [mlp.up, mlp.down] : []),
    ...(moe ? [moe.router, moe.up, moe.down] : []),
    ...(ownInput ? [ownInput.gate, ownInput.projection] : []),
    ...(altup ? [altup.router, altup.laurel.left, altup.laurel.right] : []),
  ];
  return linears.map(({ matrix }) => matrix);
}

/** Matrices of the decoder as a whole that every token reads: not the tables. */
function sharedMatrices({ head, perLayer, altup }: DecoderWeights): Matrix[] {
  const linears = [...(perLayer ? [perLayer.projection] : []), ...(altup ? [...altup.projections, ...altup.unembeddings] : [])];
  return [head, ...linears.map(({ matrix }) => matrix)];
}

/** Bytes of weights that one decoded token reads: all of them, but of the experts only those it chooses, and the embedding table only as a tied head. */
export function bytesReadPerToken({ spec, weights }: { spec: DecoderSpec; weights: DecoderWeights }): number {
  const perLayer = weights.layers.map((layer, index) => {
    const { moe } = spec.layers[index];
    const unread = moe ? 1 - moe.chosen / moe.experts : 0;
    const experts = layer.moe ? matrixBytes(layer.moe.up.matrix) + matrixBytes(layer.moe.down.matrix) : 0;
    return sumBytes(layerMatrices(layer)) - unread * experts;
  });
  return perLayer.reduce((sum, bytes) => sum + bytes, sumBytes(sharedMatrices(weights)));
}

/** Bytes of all matrices. */
export function weightBytes(weights: DecoderWeights): number {
  const { layers, embedding, perLayer } = weights;
  return sumBytes([...layers.flatMap(layerMatrices), ...new Set([embedding, ...sharedMatrices(weights)]), ...(perLayer ? [perLayer.embedding] : [])]);
}

function sumBytes(matrices: readonly Matrix[]): number {
  return matrices.reduce((sum, matrix) => sum + matrixBytes(matrix), 0);
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
  const table = new Float32Array(Math.max(contextLength * pairs, 1) * 2); // a family without rotation binds it unread
  for (let position = 0; position < contextLength; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * rope.inverseFrequencies[pair];
      table[2 * (position * pairs + pair)] = Math.cos(angle) * rope.attentionFactor;
      table[2 * (position * pairs + pair) + 1] = Math.sin(angle) * rope.attentionFactor;
    }
  }
  return table;
}

/** Bytes of the tables of every rope that a decoder's layers use. */
export function ropeTableBytes({ layers }: DecoderSpec, contextLength: number): number {
  const ropes = new Set(layers.flatMap(({ attention }) => (attention ? [attention.rope] : [])));
  return [...ropes].reduce((sum, { rotaryDim }) => sum + Math.max(contextLength * (rotaryDim / 2), 1) * 8, 0);
}

/** Make the table of every rope that a decoder's layers use. */
export async function createRopeTables(gpu: Gpu, { layers }: DecoderSpec, contextLength: number): Promise<Map<RopeSpec, GPUBuffer>> {
  const tables = new Map<RopeSpec, GPUBuffer>();
  for (const rope of new Set(layers.flatMap(({ attention }) => (attention ? [attention.rope] : [])))) {
    tables.set(rope, await createVector(gpu, "rope table", ropeTable(rope, contextLength)));
  }
  return tables;
}
