import {
  booleanField, integerField, numberField, numbersField, objectField, stringField, type Bounds, type Fields,
} from "./config_fields.ts";
import { isJsonObject } from "./json_scanner.ts";

/** How positions turn queries and keys; an absent key is undefined. */
export interface RopeConfig {
  theta?: number;
  /** "default" when the config names no scaling. */
  type: string;
  factor?: number;
  originalMaxPosition?: number;
  lowFreqFactor?: number;
  highFreqFactor?: number;
  betaFast?: number;
  betaSlow?: number;
  mscale?: number;
  mscaleAllDim?: number;
  attentionFactor?: number;
  truncate?: boolean;
  partialRotaryFactor?: number;
  /** Of longrope: what divides each frequency, within the trained length and beyond it. */
  shortFactors?: number[];
  longFactors?: number[];
  /** Of HunYuan's dynamic scaling. */
  alpha?: number;
  /** Growth of queries with the logarithm of their position. */
  queryGrowth?: number;
}

const THETA: Bounds = { min: 1, max: 1e12 };
const FACTOR: Bounds = { min: 0, max: 1e6 };
const FRACTION: Bounds = { min: 0, max: 1 };
const POSITIONS: Bounds = { min: 1, max: 2 ** 31 };

/** Read the rotary embedding of a config: `rope_parameters` where there is one, else the older top-level keys. */
export function parseRope(fields: Fields): RopeConfig {
  return readRope(fields, ropeParameters(fields, "full_attention") ?? objectField(fields, "rope_scaling"));
}

/** Read the rotary embedding of layers with a window, where it is another one than that of full attention. */
export function parseSlidingRope(fields: Fields): RopeConfig | undefined {
  const parameters = ropeParameters(fields, "sliding_attention");
  if (parameters && parameters.path.endsWith("sliding_attention.")) return readRope(fields, parameters);
  const theta = numberField(fields, "rope_local_base_freq", THETA);
  return theta === undefined ? undefined : { theta, type: "default" };
}

function readRope(fields: Fields, scaling: Fields | undefined): RopeConfig {
  const source: Fields = scaling ?? { ...fields, values: new Map() };
  return {
    theta: numberField(source, "rope_theta", THETA) ?? numberField(fields, "rope_theta", THETA)
      ?? numberField(fields, "rotary_emb_base", THETA),
    type: stringField(source, "rope_type") ?? stringField(source, "type") ?? "default",
    factor: numberField(source, "factor", FACTOR),
    originalMaxPosition: integerField(source, "original_max_position_embeddings", POSITIONS)
      ?? integerField(fields, "original_max_position_embeddings", POSITIONS),
    lowFreqFactor: numberField(source, "low_freq_factor", FACTOR),
    highFreqFactor: numberField(source, "high_freq_factor", FACTOR),
    betaFast: numberField(source, "beta_fast", FACTOR),
    betaSlow: numberField(source, "beta_slow", FACTOR),
    mscale: numberField(source, "mscale", FACTOR),
    mscaleAllDim: numberField(source, "mscale_all_dim", FACTOR),
    attentionFactor: numberField(source, "attention_factor", FACTOR),
    truncate: booleanField(source, "truncate"),
    partialRotaryFactor: numberField(source, "partial_rotary_factor", FRACTION)
      ?? numberField(fields, "partial_rotary_factor", FRACTION) ?? numberField(fields, "rotary_pct", FRACTION)
      ?? numberField(fields, "rope_pct", FRACTION),
    shortFactors: numbersField(source, "short_factor", FACTOR),
    longFactors: numbersField(source, "long_factor", FACTOR),
    alpha: numberField(source, "alpha", FACTOR),
    queryGrowth: numberField(source, "llama_4_scaling_beta", FACTOR),
  };
}

/** The one dict of all layers, or that of a layer type where each type has its own. */
function ropeParameters(fields: Fields, layerType: string): Fields | undefined {
  const parameters = objectField(fields, "rope_parameters");
  if (parameters === undefined) return undefined;
  const types = [...parameters.values].filter(([, value]) => isJsonObject(value)).map(([type]) => type);
  if (types.length === 0) return parameters;
  return objectField(parameters, types.includes(layerType) ? layerType : types[0]);
}
