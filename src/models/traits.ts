import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { Activation, DecoderSpec, LayerSpec, LinearSpec, MlpSpec, NormSpec, QueryKeyNorm, XieluSpec } from "../kernels/decoder_spec.ts";
import type { RopeSpec } from "../kernels/rope_spec.ts";
import { interleaved, stacked, type PlainModule } from "./modules.ts";
import { ropeSpec, type RopeShape } from "./rope.ts";

/** Names of modules; those of a layer are relative to it. */
export interface ModuleNames {
  embedding: string;
  finalNorm: string;
  head: string;
  layers: string;
  /** Queries, keys and values; one name when they are fused. */
  qkv: readonly string[];
  output: string;
  /** Gate and up, or both in one; up alone when there is no gate. */
  up: readonly string[];
  down: string;
  queryNorm: string;
  keyNorm: string;
}

/** Which norms a block has; each is a module of the layer. */
export interface NormPlaces {
  attention?: string;
  attentionPost?: string;
  mlp?: string;
  mlpPost?: string;
}

/** What families differ in. `llamaTraits` gives Llama's; a family changes what it does differently. */
export interface Traits {
  names: ModuleNames;
  kvHeads: number;
  headDim: number;
  tied: boolean;
  norm: Omit<NormSpec, "module">;
  norms: NormPlaces;
  isParallel: boolean;
  /** Whether matrices are stored `[columns, rows]`. */
  isTransposed: boolean;
  qkvBias: boolean;
  outputBias: boolean;
  mlpBias: boolean;
  headBias: boolean;
  /** "whole": of all heads as one. Each head by itself: "parts" with a module of its own, "rows" by its row of one module's gains, "alike" by a module for all. */
  queryKeyNorm: QueryKeyNorm["kind"] | "whole" | "rows" | "alike";
  hasSinks: boolean;
  activation: Activation | "xielu";
  isGated: boolean;
  /** Factor of the scores. */
  scale: number;
  scoreCap: number;
  /** Window of each layer; 0 when it sees everything. */
  window: (layer: number) => number;
  rope: (layer: number) => RopeSpec;
  embeddingScale: number;
  residualScale: number;
  logitScale: number;
  logitCap: number;
}

/** Llama's own names and choices (Touvron et al., "LLaMA"): pre-norm blocks, rotary attention, SwiGLU. */
export function llamaTraits(config: ModelConfig, contextLength: number): Traits {
  const headDim = config.headDim ?? config.hiddenSize / config.heads;
  const rope = ropeSpec(config.rope, 1e4, ropeShape(config, headDim, contextLength));
  const attentionBias = config.attentionBias ?? false;
  return {
    names: LLAMA_NAMES,
    kvHeads: config.kvHeads ?? config.heads,
    headDim,
    tied: config.tieWordEmbeddings ?? false,
    norm: { kind: "rms", epsilon: config.rmsNormEps ?? 1e-6, gainOffset: 0, bias: false },
    norms: { attention: "input_layernorm", mlp: "post_attention_layernorm" },
    isParallel: false,
    isTransposed: false,
    qkvBias: attentionBias,
    outputBias: attentionBias,
    mlpBias: config.mlpBias ?? false,
    headBias: false,
    queryKeyNorm: "none",
    hasSinks: false,
    activation: activationOf(config.hiddenAct ?? "silu"),
    isGated: true,
    scale: headDim ** -0.5,
    scoreCap: 0,
    window: () => 0,
    rope: () => rope,
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    logitCap: 0,
  };
}

/** Llama's module names, which most families share. */
export const LLAMA_NAMES: ModuleNames = {
  embedding: "model.embed_tokens",
  finalNorm: "model.norm",
  head: "lm_head",
  layers: "model.layers",
  qkv: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  output: "self_attn.o_proj",
  up: ["mlp.gate_proj", "mlp.up_proj"],
  down: "mlp.down_proj",
  queryNorm: "self_attn.q_norm",
  keyNorm: "self_attn.k_norm",
};

/** What a family's rotation depends on besides its settings. */
export function ropeShape(config: ModelConfig, headDim: number, contextLength: number): RopeShape {
  return { headDim, maxPositionEmbeddings: config.maxPositionEmbeddings ?? 2048, contextLength };
}

const ACTIVATIONS: Readonly<Record<string, Activation | "xielu">> = {
  silu: "silu", swish: "silu", gelu: "gelu", gelu_new: "gelu_tanh", gelu_pytorch_tanh: "gelu_tanh", gelu_fast: "gelu_tanh", relu2: "relu2", xielu: "xielu",
};

/** The activation that a config names. */
export function activationOf(name: string): Activation | "xielu" {
  const activation = ACTIVATIONS[name];
  if (activation) return activation;
  throw new HearthError("unsupported-checkpoint", `config.json: hidden_act "${name}" is not supported. Hearth knows ${Object.keys(ACTIVATIONS).join(", ")}.`);
}

/** Build the spec of a family from its traits. */
export function buildDecoder(config: ModelConfig, traits: Traits): DecoderSpec {
  const { names, norm } = traits;
  return {
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    embedding: names.embedding,
    embeddingScale: traits.embeddingScale,
    positions: undefined,
    layers: Array.from({ length: config.layers }, (_, layer) => buildLayer(config, traits, layer)),
    savedByMlx: undefined,
    finalNorm: { ...norm, module: names.finalNorm },
    head: traits.tied ? names.embedding : names.head,
    headBias: traits.headBias,
    logitScale: traits.logitScale,
    logitCap: traits.logitCap,
  };
}

function buildLayer(config: ModelConfig, traits: Traits, layer: number): LayerSpec {
  const { names, norms, kvHeads, headDim, isParallel, isTransposed, qkvBias, outputBias } = traits;
  const { hiddenSize, heads } = config;
  const name = `${names.layers}.${layer}`;
  const norm = (module: string | undefined): NormSpec | undefined => (module === undefined ? undefined : { ...traits.norm, module: `${name}.${module}` });
  const module = (suffix: string, rows: number, bias: boolean): PlainModule => ({ module: `${name}.${suffix}`, rows, bias, isTransposed });
  const rows = [heads * headDim, kvHeads * headDim, kvHeads * headDim];
  const qkvModules = names.qkv.length === 1
    ? [module(names.qkv[0], rows[0] + rows[1] + rows[2], qkvBias)]
    : names.qkv.map((suffix, i) => module(suffix, rows[i], qkvBias));
  const attentionNorm = norm(norms.attention);
  return {
    isParallel,
    attentionNorm,
    attention: {
      heads,
      kvHeads,
      headDim,
      scale: traits.scale,
      scoreCap: traits.scoreCap,
      window: traits.window(layer),
      rope: traits.rope(layer),
      isGated: false,
      queryKeyNorm: buildQueryKeyNorm(config, traits, name),
      sinks: traits.hasSinks ? `${name}.self_attn.sinks` : undefined,
      qkv: stacked(`${name} qkv`, hiddenSize, qkvModules),
      output: stacked(`${name} output`, heads * headDim, [module(names.output, hiddenSize, outputBias)]),
    },
    attentionPostNorm: norm(norms.attentionPost),
    mlpNorm: norms.mlp === norms.attention ? attentionNorm : norm(norms.mlp),
    recurrent: undefined,
    mlp: buildMlp(config, traits, name),
    moe: undefined,
    mlpPostNorm: norm(norms.mlpPost),
    residualScales: { attention: traits.residualScale, recurrent: traits.residualScale, mlp: traits.residualScale },
  };
}

function buildQueryKeyNorm({ heads }: ModelConfig, { names, norm, queryKeyNorm, kvHeads }: Traits, name: string): QueryKeyNorm {
  const query = { ...norm, bias: false, module: `${name}.${names.queryNorm}` };
  const key = { ...norm, bias: false, module: `${name}.${names.keyNorm}` };
  switch (queryKeyNorm) {
    case "none":
      return { kind: "none" };
    case "head":
    case "headAfterRotation":
      return { kind: queryKeyNorm, query, key };
    case "whole":
      return { kind: "parts", query: [query], key: [key] };
    case "parts": {
      const each = (one: NormSpec, count: number) => Array.from({ length: count }, (_, head) => ({ ...one, module: `${one.module}.${head}` }));
      return { kind: "parts", query: each(query, heads), key: each(key, kvHeads) };
    }
    case "rows":
      return { kind: "parts", query: [{ ...query, groups: heads }], key: [{ ...key, groups: kvHeads }] };
    case "alike": {
      const repeated = (one: NormSpec, count: number) => new Array<NormSpec>(count).fill({ ...one, bias: norm.bias });
      return { kind: "parts", query: repeated(query, heads), key: repeated(key, kvHeads) };
    }
    default:
      return queryKeyNorm satisfies never;
  }
}

function buildMlp({ hiddenSize, intermediateSize }: ModelConfig, { names, activation, isGated, isTransposed, mlpBias }: Traits, name: string): MlpSpec {
  const xielu: XieluSpec = { kind: "xielu", module: `${name}.mlp.act_fn` };
  const label = `${name} up`;
  const fused = isGated && names.up.length === 1;
  const modules = names.up.map((suffix) => ({ module: `${name}.${suffix}`, rows: fused ? 2 * intermediateSize : intermediateSize, bias: mlpBias, isTransposed }));
  const up: LinearSpec = isGated ? interleaved(label, hiddenSize, modules) : stacked(label, hiddenSize, modules);
  return {
    intermediateSize,
    activation: activation === "xielu" ? xielu : activation,
    isGated,
    gateScale: 1,
    up,
    down: stacked(`${name} down`, intermediateSize, [{ module: `${name}.${names.down}`, rows: hiddenSize, bias: mlpBias, isTransposed }]),
  };
}
