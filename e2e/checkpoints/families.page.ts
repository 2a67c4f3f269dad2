import { loadWeights } from "../../src/engine/load_weights.ts";
import { Runner } from "../../src/engine/runner.ts";
import { parseModelConfig, type ModelConfig } from "../../src/formats/model_config.ts";
import { readWeightMap } from "../../src/formats/shard_index.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { createRopeTables } from "../../src/kernels/decoder_weights.ts";
import type { DecoderSpec } from "../../src/kernels/decoder_spec.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import { chooseSchedule } from "../../src/kernels/schedule.ts";
import { decoderSpec } from "../../src/models/registry.ts";
import { pickedCheckpoint } from "../../src/storage/picked_files.ts";
import { withBindingLimit } from "../kernels/random_matrix.ts";
import { randomCheckpoint, type NamedValues } from "../support/random_checkpoint.ts";
import { tensorsOf } from "../support/spec_tensors.ts";

/** What transformers computes with a tiny random model of a family. */
export interface FamilyGolden {
  name: string;
  model_type: string;
  config: Record<string, unknown>;
  /** Of ten tokens, which cross small windows. */
  ten?: {
    /** Frobenius norm of all logits. */
    L2: number;
    /** Most likely token after the last position. */
    argmax: number;
    /** First six logits of the last position. */
    last6: number[];
    /** First three logits of the first position. */
    first3: number[];
  };
  /** Of seventy tokens, which cross windows, chunks and pages. */
  seventy?: {
    L2: number;
    /** Most likely token after every position. */
    argmax: number[];
    /** First six logits of some positions. */
    rows: Record<string, number[]>;
  };
}

/** How far a family is from its golden values, and its two paths from each other. */
export interface FamilyDeviation {
  name: string;
  /** Largest difference from the golden logits. */
  golden: number;
  l2: number;
  /** Positions whose most likely token differs. */
  otherBest: number;
  /** Largest difference between decoding and prefilling. */
  decode: number;
}

/** Tokens that cross small windows. */
export const TEN = [1, 5, 17, 42, 99, 3, 64, 127, 8, 23];
/** Tokens that cross windows, chunks and pages. */
export const SEVENTY = [1, ...Array.from({ length: 69 }, (_, i) => ((29 * (i + 1) + Math.floor((i + 1) ** 2 / 3) + 7) % 125) + 3)];

/** How tensors may be spelt in a checkpoint: the model's own prefix becomes another; MLX, and newer transformers, rewrite more when they save a model. */
export interface Spelling {
  prefix: string;
  head: string;
  rewrittenBy?: "mlx" | "transformers";
}

interface FamilyRequest {
  golden: FamilyGolden;
  spelling?: Spelling;
  /** What a binding can show at most, where that is less than the device's own limit. */
  bindingBytes?: number;
}

/** Run each family's tiny model prefilled and decoded, on one device, so that kernels alike are compiled once. */
export async function runFamilies(requests: readonly FamilyRequest[]): Promise<FamilyDeviation[]> {
  const gpu = await Gpu.open();
  try {
    const deviations: FamilyDeviation[] = [];
    for (const request of requests) deviations.push(await runFamily(request.bindingBytes ? withBindingLimit(gpu, request.bindingBytes) : gpu, request));
    return deviations;
  } finally {
    gpu.destroy();
  }
}

async function runFamily(gpu: Gpu, { golden, spelling }: FamilyRequest): Promise<FamilyDeviation> {
  const { ten, seventy } = golden;
  const config = parseModelConfig(JSON.stringify(golden.config));
  const ropes = (contextLength: number) => JSON.stringify(decoderSpec(config, contextLength).layers.map(({ attention }) => attention?.rope.inverseFrequencies));
  const longest = seventy ? SEVENTY.length : TEN.length;
  const isOneSession = ropes(TEN.length) === ropes(longest); // some rotations follow the length of the session
  const longFound = await compare(gpu, golden, spelling, longest, { ten: isOneSession ? ten : undefined, seventy });
  const shortFound = ten && !isOneSession ? await compare(gpu, golden, spelling, TEN.length, { ten }) : longFound;
  const worse = (key: Exclude<keyof FamilyDeviation, "name">) => Math.max(longFound[key], shortFound[key]);
  return { name: golden.name, golden: worse("golden"), l2: worse("l2"), otherBest: worse("otherBest"), decode: worse("decode") };
}

async function compare(
  gpu: Gpu, golden: FamilyGolden, spelling: Spelling | undefined, contextLength: number, { ten, seventy }: Pick<FamilyGolden, "ten" | "seventy">,
): Promise<FamilyDeviation> {
  const { spec, runner } = await buildRunner(gpu, golden, spelling, contextLength);
  const { vocabSize } = spec;
  const row = (logits: Float32Array, position: number) => logits.subarray(position * vocabSize, (position + 1) * vocabSize);
  const best = (logits: Float32Array, position: number) => row(logits, position).indexOf(Math.max(...row(logits, position)));
  const found: FamilyDeviation = { name: golden.name, golden: 0, l2: 0, otherBest: 0, decode: 0 };
  if (ten) {
    const logits = await runner.logits(TEN);
    found.golden = Math.max(...difference(row(logits, TEN.length - 1), ten.last6), ...difference(row(logits, 0), ten.first3));
    found.l2 = Math.abs(norm(logits) - ten.L2);
    found.otherBest += best(logits, TEN.length - 1) === ten.argmax ? 0 : 1;
  }
  const logits = await runner.logits(seventy ? SEVENTY : TEN);
  if (seventy) {
    found.golden = Math.max(found.golden, ...Object.entries(seventy.rows).flatMap(([position, values]) => difference(row(logits, Number(position)), values)));
    found.l2 = Math.max(found.l2, Math.abs(norm(logits) - seventy.L2));
    found.otherBest += seventy.argmax.filter((token, position) => best(logits, position) !== token).length;
  }
  found.decode = await mixedDifference(runner, seventy ? SEVENTY : TEN, logits);
  runner.destroy();
  return found;
}

const DECODED = 10; // tokens decoded at the start of a prompt, and again across the border of its first page

/** Decode the first tokens, prefill some, decode the rest: the largest difference from logits that were prefilled. */
async function mixedDifference(runner: Runner, tokenIds: readonly number[], prefilled: Float32Array): Promise<number> {
  const decoded: Promise<number>[] = []; // awaited together: some browsers take a tenth of a second to notice that a read is done
  for (const position of tokenIds.keys()) {
    if (position >= DECODED && position < tokenIds.length - DECODED) continue;
    if (position === tokenIds.length - DECODED) runner.prefill(tokenIds.slice(DECODED, position), DECODED);
    decoded.push(decodedDifference(runner, tokenIds, position, prefilled));
  }
  return Math.max(...(await Promise.all(decoded)));
}

/** Decode the token at a position: the largest difference from logits of all positions. */
async function decodedDifference(runner: Runner, tokenIds: readonly number[], position: number, expected: Float32Array): Promise<number> {
  const { vocabSize } = runner.decoder.spec;
  const logits = await runner.forward(tokenIds[position], position);
  return Math.max(...difference(logits, expected.slice(position * vocabSize, (position + 1) * vocabSize)));
}

/** Build a family's tiny model, its tensors spelt in some way, and prepare to run it. */
export async function buildRunner(gpu: Gpu, golden: FamilyGolden, spelling: Spelling | undefined, contextLength: number): Promise<{ spec: DecoderSpec; runner: Runner }> {
  const config = parseModelConfig(JSON.stringify(golden.config));
  const planned = decoderSpec(config, contextLength);
  const checkpoint = { name: golden.name, config: golden.config, tensors: tensorsOf(planned), tokens10: [], tokens70: [] };
  const respell = (name: string) => (spelling ? (name.startsWith("model.") ? spelling.prefix + name.slice(6) : spelling.head + name) : name);
  const rewriters = { mlx: (tensors: NamedValues[]) => savedByMlx(tensors, config), transformers: withFusedExperts };
  const rewrite = (tensors: NamedValues[]) =>
    (spelling?.rewrittenBy ? rewriters[spelling.rewrittenBy](tensors) : tensors).map((tensor) => ({ ...tensor, name: respell(tensor.name) }));
  const files = await readWeightMap(pickedCheckpoint(randomCheckpoint(checkpoint, rewrite)));
  const { spec, weights, filled } = await loadWeights(gpu, planned, files, { quantization: config.quantization });
  await filled;
  const ropes = await createRopeTables(gpu, spec, contextLength);
  const cache = await createKvCache(gpu, spec, "f32", contextLength, 1);
  return { spec, runner: await Runner.create(gpu, chooseSchedule(gpu.traits), { spec, weights, ropes, cache }, contextLength) };
}

/** Prefill some tokens and save what recurrences remember, go astray, go back and go on: the largest difference from going straight on. */
export async function goBack(golden: FamilyGolden): Promise<number> {
  const gpu = await Gpu.open();
  try {
    const { runner } = await buildRunner(gpu, golden, undefined, SEVENTY.length);
    const straight = await runner.logits(SEVENTY);
    const save = 40;
    runner.prefill(SEVENTY.slice(0, save), 0);
    runner.saveStates();
    const astray = TEN.map((id, i) => runner.forward(id, save + i));
    runner.restoreStates();
    const found = Array.from({ length: DECODED }, (_, i) => decodedDifference(runner, SEVENTY, save + i, straight));
    await Promise.all(astray);
    return Math.max(...(await Promise.all(found)));
  } finally {
    gpu.destroy();
  }
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** What MLX does to a model: experts are stacked, convolutions transposed, the offset of Qwen 3.5's gains is added, and Falcon-H1's factors are multiplied in. */
function savedByMlx(tensors: NamedValues[], config: ModelConfig): NamedValues[] {
  const addsOffset = tensors.some(({ name }) => name.includes("linear_attn"));
  if (config.modelType === "gpt2") return tensors.map((tensor) => (/\.(c_attn|c_proj|c_fc)\.weight$/.test(tensor.name) ? turned(tensor) : tensor)).map(underModel);
  if (config.modelType === "gpt_neox") return tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace("gpt_neox.layers.", "gpt_neox.h.") })).map(underModel);
  const whole = tensors.filter(({ name }) => !EXPERT.test(name)).map((tensor) => {
    const { name, shape, values } = tensor;
    if (name.includes("conv1d.weight") || name.includes("conv.conv.weight")) return { ...tensor, shape: [shape[0], shape[2], shape[1]] };
    const isOffset = addsOffset && shape.length === 1 && name.endsWith("norm.weight") && !name.includes("linear_attn.norm");
    if (isOffset) return { ...tensor, values: values.map((value) => value + 1) };
    return config.modelType === "falcon_h1" ? multiplied(tensor, config) : tensor;
  });
  const stacks = stackedExperts(tensors, (name) => name.replace(/experts\.\d+/, "switch_mlp").replace("w1.", "gate_proj.").replace("w2.", "down_proj.").replace("w3.", "up_proj."));
  const renamed = (name: string) => name.replace(".w1.", ".gate_proj.").replace(".w2.", ".down_proj.").replace(".w3.", ".up_proj.");
  const dense = stacks.length > 0 ? whole.map((tensor) => ({ ...tensor, name: renamed(tensor.name) })) : whole;
  const split: Record<string, (tensor: NamedValues) => NamedValues[]> = { gpt_oss: splitExperts, gemma4_text: halvedExperts };
  return [...dense, ...stacks].flatMap((tensor) => split[config.modelType]?.(tensor) ?? [tensor]);
}

function underModel(tensor: NamedValues): NamedValues {
  return { ...tensor, name: `model.${tensor.name.replace(/^(transformer|gpt_neox)\./, "")}` };
}

/** A matrix with its dimensions exchanged. */
function turned({ name, shape: [rows, columns], values }: NamedValues): NamedValues {
  return { name, shape: [columns, rows], values: Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]) };
}

const EXPERT = /\.experts\.\d+\./;

/** Experts that are modules of their own, each kind in one tensor. */
function stackedExperts(tensors: NamedValues[], rename: (name: string) => string): NamedValues[] {
  const stacks = new Map<string, NamedValues[]>();
  for (const tensor of tensors.filter(({ name }) => EXPERT.test(name))) stacks.set(rename(tensor.name), [...(stacks.get(rename(tensor.name)) ?? []), tensor]);
  return [...stacks].map(([name, experts]) => ({ name, shape: [experts.length, ...experts[0].shape], values: Float32Array.from(experts.flatMap(({ values }) => [...values])) }));
}

/** What newer transformers do: gates and ups of all experts in one parameter, gate above up in each expert, downs in another. */
function withFusedExperts(tensors: NamedValues[]): NamedValues[] {
  const fused = new Map<string, NamedValues[]>();
  for (const tensor of tensors.filter(({ name }) => EXPERT.test(name))) {
    const name = tensor.name.replace(/experts\.\d+\.(gate|up)_proj\.weight/, "experts.gate_up_proj").replace(/experts\.\d+\.down_proj\.weight/, "experts.down_proj");
    fused.set(name, [...(fused.get(name) ?? []), tensor]);
  }
  const parameters = [...fused].map(([name, parts]) => {
    const count = parts.length / (name.endsWith("gate_up_proj") ? 2 : 1);
    return { name, shape: [count, (parts[0].shape[0] * parts.length) / count, parts[0].shape[1]], values: Float32Array.from(parts.flatMap(({ values }) => [...values])) };
  });
  return [...tensors.filter(({ name }) => !EXPERT.test(name)), ...parameters];
}

/** What MLX does to gpt-oss: the alternating columns of gates and ups become rows of two modules. */
function splitExperts(tensor: NamedValues): NamedValues[] {
  const { name, shape, values } = tensor;
  const parameter = /^(.*\.experts)\.(gate_up_proj|down_proj)(_bias)?$/.exec(name);
  if (!parameter) return [tensor];
  const [, folder, module, bias] = parameter;
  const [experts, inner, outer] = bias ? [shape[0], 1, shape[1]] : shape;
  const parts = module === "down_proj" ? [["down_proj", 0, 1]] as const : [["gate_proj", 0, 2], ["up_proj", 1, 2]] as const;
  return parts.map(([part, first, step]) => {
    const rows = outer / step;
    const turned = Float32Array.from({ length: experts * rows * inner }, (_, i) => {
      const [expert, row, column] = [Math.floor(i / (rows * inner)), Math.floor(i / inner) % rows, i % inner];
      return values[(expert * inner + column) * outer + row * step + first];
    });
    return { name: `${folder}.${part}.${bias ? "bias" : "weight"}`, shape: bias ? [experts, rows] : [experts, rows, inner], values: turned };
  });
}

/** What MLX does to Gemma 4's experts: gates and ups, which lie one above the other, become rows of two modules. */
function halvedExperts(tensor: NamedValues): NamedValues[] {
  const { name, shape: [experts, rows, columns], values } = tensor;
  const folder = /^(.*\.experts)\.(?:gate_up|down)_proj$/.exec(name)?.[1];
  if (!folder) return [tensor];
  if (name.endsWith("down_proj")) return [{ ...tensor, name: `${folder}.switch_glu.down_proj.weight` }];
  const size = (rows / 2) * columns;
  return ["gate_proj", "up_proj"].map((part, half) => ({
    name: `${folder}.switch_glu.${part}.weight`,
    shape: [experts, rows / 2, columns],
    values: Float32Array.from({ length: experts * size }, (_, i) => values[(2 * Math.floor(i / size) + half) * size + (i % size)]),
  }));
}

/** What MLX does to Falcon-H1: every factor but the keys' is multiplied into the weights. */
function multiplied(tensor: NamedValues, config: ModelConfig): NamedValues {
  const { name, values } = tensor;
  const { attentionInMultiplier = 1, ssmInMultiplier = 1, ssmMultipliers = [], mlpMultipliers = [], mambaWidth = 0, mambaGroups = 1, mambaStateDim = 0 } = config;
  const groupRows = mambaGroups * mambaStateDim;
  const ends = [mambaWidth, 2 * mambaWidth, 2 * mambaWidth + groupRows, 2 * mambaWidth + 2 * groupRows, Infinity];
  const factors: Record<string, (row: number) => number | undefined> = {
    embed_tokens: () => config.embeddingMultiplier,
    lm_head: () => config.lmHeadMultiplier,
    q_proj: () => attentionInMultiplier,
    k_proj: () => attentionInMultiplier,
    v_proj: () => attentionInMultiplier,
    o_proj: () => config.attentionOutMultiplier,
    out_proj: () => config.ssmOutMultiplier,
    gate_proj: () => mlpMultipliers[0],
    down_proj: () => mlpMultipliers[1],
    in_proj: (row) => ssmInMultiplier * ssmMultipliers[ends.findIndex((end) => row < end)],
  };
  const factor = factors[name.split(".").at(-2) ?? ""];
  return factor ? { ...tensor, values: values.map((value, i) => value * (factor(Math.floor(i / tensor.shape[1])) ?? 1)) } : tensor;
}

/** Absolute differences, element by element. */
export function difference(found: Float32Array, expected: ArrayLike<number>): number[] {
  return Array.from(expected, (value, i) => Math.abs(value - found[i]));
}
