import { loadWeights } from "../../src/engine/load_weights.ts";
import { Runner } from "../../src/engine/runner.ts";
import { parseModelConfig } from "../../src/formats/model_config.ts";
import { readWeightMap } from "../../src/formats/shard_index.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { DecoderSpec } from "../../src/kernels/decoder_spec.ts";
import { createRopeTables, layerMatrices, type DecoderWeights } from "../../src/kernels/decoder_weights.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import { chooseSchedule } from "../../src/kernels/schedule.ts";
import { decoderSpec } from "../../src/models/registry.ts";
import { destroyMatrix } from "../../src/quant/matrix.ts";
import type { QuantizedWidth } from "../../src/quant/quantise.ts";
import { pickedCheckpoint } from "../../src/storage/picked_files.ts";
import { withGpu, type Finding } from "../kernels/kernel_runs.ts";
import { randomValues, type RandomValues } from "../kernels/random_values.ts";
import { randomCheckpoint } from "../support/random_checkpoint.ts";
import { tensorsOf, type TensorShape } from "../support/spec_tensors.ts";
import { bitnet, mxfp4Blocks } from "./rare_cases.ts";
import { readWeights, worstLogit, worstWeight } from "./read_weights.ts";
import { type FormatCase, type StoredTensor, tensorName } from "./stored_module.ts";
import { files } from "./tiny_model.ts";

const TOKENS = [1, 17, 40, 95, 3];
const CONTEXT = 64;
const VOCABULARY = 128;
const SHAPE = {
  hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, intermediate_size: 96, vocab_size: VOCABULARY,
  max_position_embeddings: CONTEXT,
};

/** A family with a format of its own: which tensors are packed, and how a packed matrix stands in a plain checkpoint. */
interface FamilyCase {
  config: Record<string, unknown>;
  format: FormatCase;
  /** The module of a tensor that is packed. */
  packed: (name: string) => string | undefined;
  /** Whether a plain tensor holds several matrices, each turned round. */
  isTurned: boolean;
}

const FAMILIES: readonly FamilyCase[] = [
  {
    config: { ...SHAPE, model_type: "gpt_oss", num_local_experts: 2, num_experts_per_tok: 2, sliding_window: 4, rope_theta: 150000 },
    format: mxfp4Blocks,
    packed: (name) => (/\.experts\.\w+_proj$/.test(name) ? name : undefined),
    isTurned: true,
  },
  {
    config: { ...SHAPE, model_type: "bitnet", hidden_act: "relu2", tie_word_embeddings: true },
    format: bitnet("autobitlinear"),
    packed: (name) => /^(.*_proj)\.weight$/.exec(name)?.[1],
    isTurned: false,
  },
];

/** Compare the logits of families in their own formats with those of the same weights in floats. */
export async function familyFormats(): Promise<Finding[]> {
  return withGpu({}, async (gpu) => {
    const findings: Finding[] = [];
    for (const family of FAMILIES) {
      const { stored, plain } = checkpoints(family, randomValues(5));
      findings.push({ name: family.format.name, error: worstLogit(await logitsOf(gpu, stored), await logitsOf(gpu, plain), VOCABULARY) });
    }
    return findings;
  });
}

/** How far each family's weights move when they are quantised to 8 bits on load, relative to their matrix's root mean square. */
export async function quantisedFamilies(families: readonly { name: string; config: Record<string, unknown> }[]): Promise<Finding[]> {
  return withGpu({}, async (gpu) => {
    const findings: Finding[] = [];
    for (const { name, config } of families) {
      const checkpoint = randomCheckpoint({ name, config, tensors: tensorsOf(decoderSpec(parseModelConfig(JSON.stringify(config)), CONTEXT)), tokens10: [], tokens70: [] });
      const [floats, quantised] = [await weightsOf(gpu, checkpoint), await weightsOf(gpu, checkpoint, "q8")];
      findings.push({ name, error: Math.max(...quantised.map((weights, i) => worstWeight(weights, floats[i]))) });
    }
    return findings;
  });
}

async function weightsOf(gpu: Gpu, checkpoint: File[], quantize?: QuantizedWidth): Promise<Float32Array[]> {
  const { weights } = await loaded(gpu, checkpoint, quantize);
  const matrices = [weights.embedding, weights.head, ...weights.layers.flatMap(layerMatrices)];
  const values = await Promise.all(matrices.map((matrix) => readWeights(gpu, matrix)));
  for (const matrix of new Set(matrices)) destroyMatrix(matrix);
  return values;
}

async function logitsOf(gpu: Gpu, checkpoint: File[]): Promise<Float32Array> {
  const { spec, weights } = await loaded(gpu, checkpoint);
  const ropes = await createRopeTables(gpu, spec, CONTEXT);
  const cache = await createKvCache(gpu, spec, "f32", CONTEXT, 1);
  const runner = await Runner.create(gpu, chooseSchedule(gpu.traits), { spec, weights, ropes, cache }, CONTEXT);
  const logits = await runner.logits(TOKENS);
  runner.destroy();
  return logits;
}

async function loaded(gpu: Gpu, files: File[], quantize?: QuantizedWidth): Promise<{ spec: DecoderSpec; weights: DecoderWeights }> {
  const config = parseModelConfig(await files[0].text());
  const loading = await loadWeights(gpu, decoderSpec(config, CONTEXT), await readWeightMap(pickedCheckpoint(files)), { quantization: config.quantization, quantize });
  await loading.filled;
  return loading;
}

function checkpoints({ config, format, packed, isTurned }: FamilyCase, random: RandomValues): { stored: File[]; plain: File[] } {
  const stored: StoredTensor[] = [];
  const plain: StoredTensor[] = [];
  for (const tensor of tensorsOf(decoderSpec(parseModelConfig(JSON.stringify(config)), CONTEXT))) {
    const module = packed(tensor.name);
    if (module === undefined) {
      const float = floatTensor(tensor, random);
      stored.push(float);
      plain.push(float);
      continue;
    }
    const [rows, columns] = isTurned ? [tensor.shape[0] * tensor.shape[2], tensor.shape[1]] : tensor.shape;
    const { tensors, weights } = format.pack(random, rows, columns, module);
    stored.push(...tensors.map((each) => ({ ...each, suffix: tensorName(module, each) })));
    plain.push(float32(tensor, isTurned ? turned(weights, tensor.shape) : weights));
  }
  return { stored: files({ ...config, ...format.config }, stored), plain: files(config, plain) };
}

/** Matrices `[count, rows, columns]` as `[count, columns, rows]`. */
function turned(weights: Float64Array, [count, columns, rows]: readonly number[]): number[] {
  return Array.from({ length: count * columns * rows }, (_, i) => {
    const [matrix, column, row] = [Math.floor(i / (columns * rows)), Math.floor(i / rows) % columns, i % rows];
    return weights[(matrix * rows + row) * columns + column];
  });
}

function floatTensor(tensor: TensorShape, random: RandomValues): StoredTensor {
  const { name, shape } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length > 1) return float32(tensor, random.floats(count, 1 / Math.sqrt(shape[shape.length - 1])));
  const centre = /norm/.test(name) ? 1 : 0;
  return float32(tensor, random.floats(count, 0.1).map((value) => centre + value));
}

function float32({ name, shape }: TensorShape, values: ArrayLike<number>): StoredTensor {
  return { suffix: name, dtype: "F32", shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}
