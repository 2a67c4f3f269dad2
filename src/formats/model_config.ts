import { HearthError } from "../errors.ts";

import {
  booleanField, integerField, integersField, numberField, numbersField, objectField, parseFields, requiredInteger, stringField,
  stringsField, type Bounds, type Fields,
} from "./config_fields.ts";
import { parseGemma, type GemmaConfig } from "./gemma_config.ts";
import { parseMixers, type MixerConfig } from "./mixer_config.ts";
import { parseQuantization, type Quantization } from "./quantization.ts";
import { parseRope, parseSlidingRope, type RopeConfig } from "./rope_config.ts";

// Parts of ModelConfig, named here too so that its readers need one import.
export type { Quantization, RopeConfig };

/**
 * What config.json says, in camelCase; a key that is absent or null is undefined.
 * Class defaults differ per family and are applied in src/models, not here.
 */
export interface ModelConfig extends MixerConfig, GemmaConfig {
  /** `model_type` of the decoder, or `architectures[0]` when there is none. */
  modelType: string;
  architectures: string[];
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  kvHeads?: number;
  headDim?: number;
  vocabSize: number;
  maxPositionEmbeddings?: number;
  rmsNormEps?: number;
  /** Epsilon of norms under any of their other names. */
  normEps?: number;
  hiddenAct?: string;
  tieWordEmbeddings?: boolean;
  attentionBias?: boolean;
  mlpBias?: boolean;
  /** Bias of the output projection, where it has a switch of its own. */
  attentionOutBias?: boolean;
  /** Biases on every linear module. */
  useBias?: boolean;
  useQkvBias?: boolean;
  /** Norms of single query and key heads. */
  qkLayernorm?: boolean;
  useQkNorm?: boolean;
  useParallelResidual?: boolean;
  useBidirectionalAttention?: boolean;
  /** The scores' factor is its inverse square root. */
  queryPreAttnScalar?: number;
  /** Null switches a cap off; absent leaves it to the family's default. */
  attnLogitSoftcapping?: number | null;
  finalLogitSoftcapping?: number | null;
  embeddingMultiplier?: number;
  residualMultiplier?: number;
  attentionMultiplier?: number;
  /** Divisor of the logits. */
  logitsScaling?: number;
  /** Factor of the logits. */
  logitScale?: number;
  /** Number format of the original weights. */
  dtype?: string;
  /** Null switches the window off; absent leaves it to the family's default. */
  slidingWindow?: number | null;
  useSlidingWindow?: boolean;
  maxWindowLayers?: number;
  layerTypes?: string[];
  /** Every so many layers, one sees everything. */
  slidingWindowPattern?: number;
  rope: RopeConfig;
  /** Rope of layers with a window, where it differs. */
  slidingRope?: RopeConfig;
  /** Per layer: 1 where positions rotate, 0 where they do not. */
  noRopeLayers?: number[];
  noRopeLayerInterval?: number;
  /** Per layer: the rope's base; 0 where positions do not rotate. */
  layerRopeTheta?: number[];
  eosTokenIds: number[];
  bosTokenId?: number;
  quantization?: Quantization;
}

/** What generation_config.json recommends; an absent key is undefined. */
export interface GenerationConfig {
  eosTokenIds: number[];
  doSample?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
}

type Shape = Pick<
  ModelConfig,
  "hiddenSize" | "intermediateSize" | "layers" | "heads" | "kvHeads" | "headDim" | "vocabSize"
>;

// Bounds are an order of magnitude past the largest published decoders: a value beyond them is damage or an attack.
const WIDTH: Bounds = { min: 1, max: 1 << 20 };
const LAYERS: Bounds = { min: 1, max: 2048 };
const HEADS: Bounds = { min: 1, max: 4096 };
const VOCABULARY: Bounds = { min: 1, max: 1 << 24 };
const POSITIONS: Bounds = { min: 1, max: 2 ** 31 };
const EPSILON: Bounds = { min: 0, max: 1 };
const FACTOR: Bounds = { min: 0, max: 1e9 };
const TOKEN_ID: Bounds = { min: 0, max: (1 << 24) - 1 };

// What multimodal wrappers leave out of their text_config, trusting the class's defaults.
const SPARSE_SHAPES: Readonly<Record<string, Pick<Shape, "heads" | "vocabSize">>> = { gemma3_text: { heads: 8, vocabSize: 262_208 } };

// Multimodal wrappers keep these at the top, beside the text_config that they hold for.
const INHERITED = ["tie_word_embeddings", "quantization", "quantization_config", "compression_config", "bos_token_id", "dtype", "torch_dtype"];

/** Read which architecture a config names, so that an unsupported one can be refused before anything else is checked. */
export function readModelType(text: string, fileName = "config.json"): string {
  return modelType(parseFields(text, fileName));
}

/** Parse config.json in the spellings of transformers 4 and 5, including multimodal wrappers. */
export function parseModelConfig(text: string, fileName = "config.json"): ModelConfig {
  const top = parseFields(text, fileName);
  const fields = textFields(top);
  const eosTokenIds = [top, fields].flatMap((source) => integersField(source, "eos_token_id", TOKEN_ID));
  return {
    modelType: modelType(top),
    architectures: stringsField(top, "architectures") ?? [],
    ...readShape(fields),
    maxPositionEmbeddings: integerField(fields, "max_position_embeddings", POSITIONS) ?? integerField(fields, "n_positions", POSITIONS),
    rmsNormEps: numberField(fields, "rms_norm_eps", EPSILON),
    normEps: numberField(fields, "layer_norm_eps", EPSILON) ?? numberField(fields, "norm_epsilon", EPSILON)
      ?? numberField(fields, "layer_norm_epsilon", EPSILON) ?? numberField(fields, "norm_eps", EPSILON),
    hiddenAct: stringField(fields, "hidden_activation") ?? stringField(fields, "hidden_act") ?? stringField(fields, "activation_function"),
    tieWordEmbeddings: booleanField(fields, "tie_word_embeddings") ?? booleanField(fields, "tie_embedding"),
    attentionBias: booleanField(fields, "attention_bias"),
    mlpBias: booleanField(fields, "mlp_bias"),
    attentionOutBias: booleanField(fields, "attention_out_bias"),
    useBias: booleanField(fields, "use_bias"),
    useQkvBias: booleanField(fields, "use_qkv_bias"),
    qkLayernorm: booleanField(fields, "qk_layernorm"),
    useQkNorm: booleanField(fields, "use_qk_norm"),
    useParallelResidual: booleanField(fields, "use_parallel_residual"),
    useBidirectionalAttention: isBidirectional(fields),
    queryPreAttnScalar: numberField(fields, "query_pre_attn_scalar", FACTOR),
    attnLogitSoftcapping: nullable(fields, "attn_logit_softcapping", numberField(fields, "attn_logit_softcapping", FACTOR)),
    finalLogitSoftcapping: nullable(fields, "final_logit_softcapping", numberField(fields, "final_logit_softcapping", FACTOR)),
    embeddingMultiplier: numberField(fields, "embedding_multiplier", FACTOR),
    residualMultiplier: numberField(fields, "residual_multiplier", FACTOR),
    attentionMultiplier: numberField(fields, "attention_multiplier", FACTOR),
    logitsScaling: numberField(fields, "logits_scaling", FACTOR),
    logitScale: numberField(fields, "logit_scale", FACTOR),
    ...parseMixers(fields),
    ...parseGemma(fields),
    dtype: stringField(fields, "dtype") ?? stringField(fields, "torch_dtype"),
    slidingWindow: nullable(fields, "sliding_window", integerField(fields, "sliding_window", POSITIONS)),
    useSlidingWindow: booleanField(fields, "use_sliding_window"),
    maxWindowLayers: integerField(fields, "max_window_layers", { min: 0, max: LAYERS.max }),
    layerTypes: stringsField(fields, "layer_types") ?? stringsField(fields, "layers_block_type"),
    slidingWindowPattern: slidingWindowPattern(fields),
    rope: parseRope(fields),
    slidingRope: parseSlidingRope(fields),
    noRopeLayers: numbersField(fields, "no_rope_layers", { min: 0, max: 1 }),
    noRopeLayerInterval: integerField(fields, "no_rope_layer_interval", LAYERS),
    layerRopeTheta: layerRopeTheta(fields),
    eosTokenIds: [...new Set(eosTokenIds)],
    bosTokenId: integerField(fields, "bos_token_id", TOKEN_ID),
    quantization: parseQuantization(fields),
  };
}

/** Parse generation_config.json: the stop ids and the sampling that the checkpoint's authors recommend. */
export function parseGenerationConfig(text: string, fileName = "generation_config.json"): GenerationConfig {
  const fields = parseFields(text, fileName);
  const topK = integerField(fields, "top_k", { min: -1, max: VOCABULARY.max });
  return {
    eosTokenIds: [...new Set(integersField(fields, "eos_token_id", TOKEN_ID))],
    doSample: booleanField(fields, "do_sample"),
    temperature: numberField(fields, "temperature", { min: 0, max: 5 }),
    topK: topK === -1 ? 0 : topK, // both spellings of "off" are in use
    topP: numberField(fields, "top_p", { min: 1e-6, max: 1 }),
    minP: numberField(fields, "min_p", { min: 0, max: 1 }),
    repetitionPenalty: numberField(fields, "repetition_penalty", { min: 1e-6, max: 100 }),
  };
}

function modelType(top: Fields): string {
  const text = objectField(top, "text_config");
  const name = (text && stringField(text, "model_type")) ?? stringField(top, "model_type")
    ?? stringsField(top, "architectures")?.[0];
  if (name) return name;
  throw new HearthError(
    "corrupt-checkpoint",
    `${top.fileName}: expected model_type or architectures, found neither; is this the config of a transformers model?`,
  );
}

function textFields(top: Fields): Fields {
  const text = objectField(top, "text_config");
  if (text === undefined) return top;
  const values = new Map(text.values);
  for (const key of INHERITED) {
    const inherited = top.values.get(key);
    if (inherited !== undefined && !values.has(key)) values.set(key, inherited);
  }
  return { ...text, values };
}

function readShape(fields: Fields): Shape {
  const isGpt2 = fields.values.has("n_embd"); // the one family with names of its own
  const hiddenSize = requiredInteger(fields, isGpt2 ? "n_embd" : "hidden_size", WIDTH);
  const hasOwnWidth = fields.values.has("intermediate_size") || !fields.values.has("block_ff_dim"); // LFM 2 has either
  const sparse = SPARSE_SHAPES[stringField(fields, "model_type") ?? ""];
  return {
    hiddenSize,
    intermediateSize: isGpt2 ? (integerField(fields, "n_inner", WIDTH) ?? 4 * hiddenSize) : intermediateSize(fields, hasOwnWidth ? "intermediate_size" : "block_ff_dim"),
    layers: requiredInteger(fields, isGpt2 ? "n_layer" : "num_hidden_layers", LAYERS),
    heads: (sparse && integerField(fields, "num_attention_heads", HEADS)) ?? sparse?.heads ?? requiredInteger(fields, isGpt2 ? "n_head" : "num_attention_heads", HEADS),
    kvHeads: integerField(fields, "num_key_value_heads", HEADS),
    headDim: integerField(fields, "head_dim", HEADS),
    vocabSize: (sparse && integerField(fields, "vocab_size", VOCABULARY)) ?? sparse?.vocabSize ?? requiredInteger(fields, "vocab_size", VOCABULARY),
  };
}

/** One width, that of the first layer where each has its own; models of experts alone need not say it. */
function intermediateSize(fields: Fields, key: string): number {
  if (Array.isArray(fields.values.get(key))) return integersField(fields, key, WIDTH)[0] ?? requiredInteger(fields, key, WIDTH);
  return integerField(fields, key, WIDTH) ?? integerField(fields, "moe_intermediate_size", WIDTH) ?? requiredInteger(fields, key, WIDTH);
}

/** Tells a null from an absent key, for keys where they differ. */
function nullable<T>(fields: Fields, key: string, value: T): T | null {
  return fields.values.get(key) === null ? null : value;
}

/** Gemma 4 says which tokens see what follows them; "vision" leaves text causal. */
function isBidirectional(fields: Fields): boolean | undefined {
  const value = fields.values.get("use_bidirectional_attention");
  return typeof value === "string" ? value !== "vision" : booleanField(fields, "use_bidirectional_attention");
}

/** A number of layers, or a word such as "LLLG" with a letter for each. */
function slidingWindowPattern(fields: Fields): number | undefined {
  const value = fields.values.get("sliding_window_pattern");
  return typeof value === "string" ? value.length : integerField(fields, "sliding_window_pattern", LAYERS);
}

/** A base for each layer, where null says the same as 0. */
function layerRopeTheta(fields: Fields): number[] | undefined {
  const value = fields.values.get("layer_rope_theta");
  if (!Array.isArray(value)) return undefined;
  const thetas = value.map((item) => item ?? { literal: "0" });
  return numbersField({ ...fields, values: new Map([["layer_rope_theta", thetas as typeof value]]) }, "layer_rope_theta", { min: 0, max: 1e12 });
}

