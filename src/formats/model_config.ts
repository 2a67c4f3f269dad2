import { HearthError } from "../errors.ts";

import {
  booleanField, integerField, integersField, numberField, objectField, parseFields, requiredInteger, stringField,
  stringsField, type Bounds, type Fields,
} from "./config_fields.ts";
import { parseQuantization, type Quantization } from "./quantization.ts";
import { parseRope, type RopeConfig } from "./rope_config.ts";

// Parts of ModelConfig, named here too so that its readers need one import.
export type { Quantization, RopeConfig };

/**
 * What config.json says, in camelCase; a key that is absent or null is undefined.
 * Class defaults differ per family and are applied in src/models, not here.
 */
export interface ModelConfig {
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
  hiddenAct?: string;
  tieWordEmbeddings?: boolean;
  attentionBias?: boolean;
  mlpBias?: boolean;
  /** Null switches the window off; absent leaves it to the family's default. */
  slidingWindow?: number | null;
  useSlidingWindow?: boolean;
  maxWindowLayers?: number;
  layerTypes?: string[];
  rope: RopeConfig;
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
const TOKEN_ID: Bounds = { min: 0, max: (1 << 24) - 1 };

// Multimodal wrappers keep these at the top, beside the text_config that they hold for.
const INHERITED = ["tie_word_embeddings", "quantization", "quantization_config", "compression_config", "bos_token_id"];

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
    maxPositionEmbeddings: integerField(fields, "max_position_embeddings", POSITIONS),
    rmsNormEps: numberField(fields, "rms_norm_eps", { min: 0, max: 1 }),
    hiddenAct: stringField(fields, "hidden_activation") ?? stringField(fields, "hidden_act"),
    tieWordEmbeddings: booleanField(fields, "tie_word_embeddings"),
    attentionBias: booleanField(fields, "attention_bias"),
    mlpBias: booleanField(fields, "mlp_bias"),
    slidingWindow: fields.values.get("sliding_window") === null ? null : integerField(fields, "sliding_window", POSITIONS),
    useSlidingWindow: booleanField(fields, "use_sliding_window"),
    maxWindowLayers: integerField(fields, "max_window_layers", { min: 0, max: LAYERS.max }),
    layerTypes: stringsField(fields, "layer_types"),
    rope: parseRope(fields),
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
  return {
    hiddenSize: requiredInteger(fields, "hidden_size", WIDTH),
    intermediateSize: requiredInteger(fields, "intermediate_size", WIDTH),
    layers: requiredInteger(fields, "num_hidden_layers", LAYERS),
    heads: requiredInteger(fields, "num_attention_heads", HEADS),
    kvHeads: integerField(fields, "num_key_value_heads", HEADS),
    headDim: integerField(fields, "head_dim", HEADS),
    vocabSize: requiredInteger(fields, "vocab_size", VOCABULARY),
  };
}
