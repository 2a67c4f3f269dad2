import { HearthError } from "../errors.ts";

import {
  booleanField, integerField, numberField, objectField, stringField, type Bounds, type Fields,
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
}

const THETA: Bounds = { min: 1, max: 1e12 };
const FACTOR: Bounds = { min: 0, max: 1e6 };
const FRACTION: Bounds = { min: 0, max: 1 };
const POSITIONS: Bounds = { min: 1, max: 2 ** 31 };

/** Read the rotary embedding of a config: `rope_parameters` where there is one, else the older top-level keys. */
export function parseRope(fields: Fields): RopeConfig {
  const scaling = ropeParameters(fields) ?? objectField(fields, "rope_scaling");
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
  };
}

function ropeParameters(fields: Fields): Fields | undefined {
  const parameters = objectField(fields, "rope_parameters");
  if (parameters === undefined) return undefined;
  const perLayerType = [...parameters.values].filter(([, value]) => isJsonObject(value));
  if (perLayerType.length === 0) return parameters;
  // One dict per layer type; a single rope serves the model only when they all agree.
  const [[firstKey, first]] = perLayerType;
  if (perLayerType.every(([, value]) => JSON.stringify(value) === JSON.stringify(first))) {
    return objectField(parameters, firstKey);
  }
  throw new HearthError(
    "unsupported-checkpoint",
    `${fields.fileName}: ${parameters.path.slice(0, -1)}: expected one rope for all layers, found different ones for ` +
      `${perLayerType.map(([key]) => key).join(", ")}`,
  );
}
