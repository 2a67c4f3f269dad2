import { loadWeights } from "../../src/engine/load_weights.ts";
import { Runner } from "../../src/engine/runner.ts";
import { parseModelConfig } from "../../src/formats/model_config.ts";
import { readWeightMap } from "../../src/formats/shard_index.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { createRopeTables } from "../../src/kernels/decoder_weights.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import { chooseSchedule } from "../../src/kernels/schedule.ts";
import { decoderSpec } from "../../src/models/registry.ts";
import { pickedCheckpoint } from "../../src/storage/picked_files.ts";
import { randomCheckpoint, type NamedValues } from "../support/random_checkpoint.ts";
import { tensorsOf } from "../support/spec_tensors.ts";

/** What transformers computes with a tiny random model of a family. */
export interface FamilyGolden {
  name: string;
  model_type: string;
  config: Record<string, unknown>;
  /** Frobenius norm of all logits. */
  L2: number;
  /** Most likely token after the last position. */
  argmax: number;
  /** First six logits of the last position. */
  last6: number[];
  /** First three logits of the first position. */
  first3: number[];
}

/** How far a family is from its golden values, and its two paths from each other. */
export interface FamilyDeviation {
  name: string;
  /** Largest difference from the golden logits. */
  golden: number;
  l2: number;
  argmax: number;
  /** Largest difference between decoding and prefilling. */
  decode: number;
}

const TOKEN_IDS = [1, 5, 17, 42, 99, 3, 64, 127, 8, 23];

/** How tensors may be spelt in a checkpoint: the model's own prefix becomes another; MLX rewrites more when it saves a model. */
export interface Spelling {
  prefix: string;
  head: string;
  savedByMlx?: boolean;
}

/** Run each family's tiny model once prefilled and once decoded, on one device, so that kernels alike are compiled once. */
export async function runFamilies(requests: readonly { golden: FamilyGolden; spelling?: Spelling }[]): Promise<FamilyDeviation[]> {
  const gpu = await Gpu.open();
  try {
    const deviations: FamilyDeviation[] = [];
    for (const { golden, spelling } of requests) deviations.push(await runFamily(gpu, golden, spelling));
    return deviations;
  } finally {
    gpu.destroy();
  }
}

async function runFamily(gpu: Gpu, golden: FamilyGolden, spelling: Spelling | undefined): Promise<FamilyDeviation> {
  const contextLength = TOKEN_IDS.length;
  const config = parseModelConfig(JSON.stringify(golden.config));
  const spec = decoderSpec(config, contextLength);
  const checkpoint = { name: golden.name, config: golden.config, tensors: tensorsOf(spec), tokens10: TOKEN_IDS, tokens70: [] };
  const respell = (name: string) => (spelling ? (name.startsWith("model.") ? spelling.prefix + name.slice(6) : spelling.head + name) : name);
  const rewrite = (tensors: NamedValues[]) => (spelling?.savedByMlx ? savedByMlx(tensors) : tensors).map((tensor) => ({ ...tensor, name: respell(tensor.name) }));
  const files = await readWeightMap(pickedCheckpoint(randomCheckpoint(checkpoint, rewrite)));
  const weights = await loadWeights(gpu, spec, files, { quantization: config.quantization });
  const ropes = await createRopeTables(gpu, spec, contextLength);
  const cache = await createKvCache(gpu, spec, "f32", contextLength, 1);
  const runner = await Runner.create(gpu, chooseSchedule(gpu.traits), { spec, weights, ropes, cache }, contextLength);
  const prefilled = await runner.logits(TOKEN_IDS);
  const decoded: number[] = [];
  for (const [position, id] of TOKEN_IDS.entries()) decoded.push(...(await runner.forward(id, position)));
  runner.destroy();
  const last = prefilled.subarray(-spec.vocabSize);
  return {
    name: golden.name,
    golden: Math.max(...difference(last, golden.last6), ...difference(prefilled, golden.first3)),
    l2: Math.abs(Math.sqrt(prefilled.reduce((sum, value) => sum + value * value, 0)) - golden.L2),
    argmax: last.indexOf(Math.max(...last)),
    decode: Math.max(...difference(prefilled, decoded)),
  };
}

/** What MLX does to a model: experts are stacked, convolutions transposed, and the offset of Qwen 3.5's gains is added. */
function savedByMlx(tensors: NamedValues[]): NamedValues[] {
  const isExpert = /\.experts\.\d+\./;
  const addsOffset = tensors.some(({ name }) => name.includes("linear_attn"));
  const whole = tensors.filter(({ name }) => !isExpert.test(name)).map((tensor) => {
    const { name, shape, values } = tensor;
    if (shape.length === 3) return { ...tensor, shape: [shape[0], shape[2], shape[1]] };
    const isOffset = addsOffset && shape.length === 1 && name.endsWith("norm.weight") && !name.includes("linear_attn.norm");
    return isOffset ? { ...tensor, values: values.map((value) => value + 1) } : tensor;
  });
  const stacks = new Map<string, NamedValues[]>();
  for (const tensor of tensors.filter(({ name }) => isExpert.test(name))) {
    const name = tensor.name.replace(/experts\.\d+/, "switch_mlp").replace("w1.", "gate_proj.").replace("w2.", "down_proj.").replace("w3.", "up_proj.");
    stacks.set(name, [...(stacks.get(name) ?? []), tensor]);
  }
  const dense = stacks.size > 0 ? whole.map((tensor) => ({ ...tensor, name: tensor.name.replace(".w1.", ".gate_proj.").replace(".w2.", ".down_proj.").replace(".w3.", ".up_proj.") })) : whole;
  const stacked = [...stacks].map(([name, experts]) => ({ name, shape: [experts.length, ...experts[0].shape], values: Float32Array.from(experts.flatMap(({ values }) => [...values])) }));
  return [...dense, ...stacked];
}

function difference(found: Float32Array, expected: readonly number[]): number[] {
  return expected.map((value, i) => Math.abs(value - found[i]));
}
