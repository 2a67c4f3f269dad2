import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { createVector, type DecoderWeights, type LayerWeights, type LinearWeights, type NormWeights } from "../kernels/decoder_weights.ts";
import { fillRandom } from "../kernels/fill_random.ts";
import { allocateMatrix, codeBytesPerRow, padColumns, pairBytesPerRow, type Matrix, type WeightFormat } from "../quant/matrix.ts";

const PREFIX = "synthetic:";
const FORMAT: WeightFormat = { codes: "q4", scales: "f16", group: 32 };

type Shape = Pick<ModelConfig, "modelType" | "hiddenSize" | "intermediateSize" | "layers" | "heads" | "kvHeads" | "headDim" | "vocabSize" | "tieWordEmbeddings">;

/** Published shapes, for measuring speed without their weights. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "llama-3.2-1b": { modelType: "llama", hiddenSize: 2048, intermediateSize: 8192, layers: 16, heads: 32, kvHeads: 8, headDim: 64, vocabSize: 128_256, tieWordEmbeddings: true },
  "qwen3-0.6b": { modelType: "qwen3", hiddenSize: 1024, intermediateSize: 3072, layers: 28, heads: 16, kvHeads: 8, headDim: 128, vocabSize: 151_936, tieWordEmbeddings: true },
  "llama-3.1-8b": { modelType: "llama", hiddenSize: 4096, intermediateSize: 14_336, layers: 32, heads: 32, kvHeads: 8, headDim: 128, vocabSize: 128_256, tieWordEmbeddings: false },
};

/** Whether a source names a synthetic model. */
export function isSyntheticId(source: string): boolean {
  return source.startsWith(PREFIX);
}

/** The config of a published shape. */
export function syntheticConfig(id: string): ModelConfig {
  const shape = SHAPES[id.slice(PREFIX.length)];
  if (!shape) {
    throw new HearthError("file-not-found", `${id}: expected one of ${Object.keys(SHAPES).map((name) => PREFIX + name).join(", ")}`);
  }
  return { ...shape, architectures: [], maxPositionEmbeddings: 131_072, rope: { type: "default", theta: 500_000 }, eosTokenIds: [] };
}

/** Make random 4-bit weights for such a model, on the GPU. It says nothing sensible, at full speed. */
export async function syntheticWeights(gpu: Gpu, spec: DecoderSpec): Promise<DecoderWeights> {
  const { hiddenSize, vocabSize, layers } = spec;
  const linear = async (label: string, rows: number, columns: number): Promise<LinearWeights> => ({ matrix: await randomMatrix(gpu, label, rows, columns), bias: undefined });
  const ones = (width: number) => createVector(gpu, "gains", new Float32Array(2 * padColumns(width)).fill(1));
  const norm = async (): Promise<NormWeights> => ({ gains: await ones(hiddenSize), width: hiddenSize, groups: 1, isCentred: false, epsilon: 1e-6, biasStart: 0 });
  const layerWeights: LayerWeights[] = [];
  for (const { attention, mlp } of layers) {
    if (!attention || !mlp) throw new Error(`a synthetic model has attention and an MLP in every layer`);
    layerWeights.push({
      attentionNorm: await norm(),
      attention: {
        qkv: await linear("qkv", attention.qkv.rows, hiddenSize),
        headGains: await ones(attention.headDim + attention.heads),
        queryNorm: undefined,
        keyNorm: undefined,
        valueNorm: undefined,
        outputNorm: undefined,
        output: await linear("output", hiddenSize, attention.output.columns),
      },
      recurrent: undefined,
      attentionPostNorm: undefined,
      mlpNorm: await norm(),
      mlp: { up: await linear("up", mlp.up.rows, hiddenSize), slopes: undefined, downNorm: undefined, down: await linear("down", hiddenSize, mlp.down.columns) },
      moe: undefined,
      mlpPostNorm: undefined,
      ownInput: undefined,
      scalar: undefined,
      altup: undefined,
    });
  }
  const embedding = await randomMatrix(gpu, "embedding", vocabSize, hiddenSize);
  const head = spec.head === spec.embedding ? embedding : await randomMatrix(gpu, "head", vocabSize, hiddenSize);
  return { embedding, positions: undefined, head, headBias: undefined, finalNorm: await norm(), perLayer: undefined, altup: undefined, layers: layerWeights };
}

/** A matrix of random codes; scale and bias centre them on zero and keep a row's products about as large as its inputs. */
async function randomMatrix(gpu: Gpu, label: string, rows: number, columns: number): Promise<Matrix> {
  const matrix = await allocateMatrix(gpu, label, columns, [{ rows, format: FORMAT }]);
  const scale = Math.sqrt(3 / columns) / 7.5; // uniform codes 0 to 15 then have variance 1 / columns
  for (const part of matrix.parts) {
    await fillRandom(gpu, part.codes, { WORDS: (part.rows * codeBytesPerRow(FORMAT, columns)) / 4, CODES: true, SCALE: scale });
    if (part.pairs) await fillRandom(gpu, part.pairs, { WORDS: (part.rows * pairBytesPerRow(FORMAT, columns)) / 4, CODES: false, SCALE: scale });
  }
  return matrix;
}
