import { booleanField, integerField, integersField, numberField, numbersField, objectField, type Bounds, type Fields } from "./config_fields.ts";
import { isJsonObject } from "./json_scanner.ts";

/** What config.json says of Gemma 3n and 4 alone; an absent key is undefined. */
export interface GemmaConfig {
  /** Width of each layer's own input; 0 when layers have none. */
  perLayerInputSize?: number;
  /** Rows of the table that those inputs come from. */
  perLayerVocabSize?: number;
  /** Last layers that see the keys and values of earlier ones. */
  kvSharedLayers?: number;
  /** Whether those have MLPs of twice the width. */
  useDoubleWideMlp?: boolean;
  /** Of layers that see everything. */
  globalHeadDim?: number;
  globalKvHeads?: number;
  /** Whether values are keys before their norm, in those layers. */
  keysAreValues?: boolean;
  /** Whether every layer has experts beside its MLP. */
  hasMoeBlock?: boolean;
  /** Width of each layer's MLP, where they differ. */
  intermediateSizes?: number[];
  /** Share of every layer's gates that are cut off. */
  activationSparsity?: number[];
  altupStreams?: number;
  altupActive?: number;
  altupCorrectScale?: boolean;
  laurelRank?: number;
}

const LAYERS: Bounds = { min: 0, max: 2048 };
const WIDTH: Bounds = { min: 0, max: 1 << 20 };
const SHARE: Bounds = { min: 0, max: 0.9999 };
const HEADS: Bounds = { min: 1, max: 4096 };

/** Read those keys. */
export function parseGemma(fields: Fields): GemmaConfig {
  const global = globalLayer(fields);
  return {
    perLayerInputSize: integerField(fields, "hidden_size_per_layer_input", WIDTH),
    perLayerVocabSize: integerField(fields, "vocab_size_per_layer_input", { min: 1, max: 1 << 24 }),
    kvSharedLayers: integerField(fields, "num_kv_shared_layers", LAYERS),
    useDoubleWideMlp: booleanField(fields, "use_double_wide_mlp"),
    globalHeadDim: integerField(fields, "global_head_dim", HEADS) ?? (global && integerField(global, "head_dim", HEADS)),
    globalKvHeads: integerField(fields, "num_global_key_value_heads", HEADS) ?? (global && integerField(global, "num_key_value_heads", HEADS)),
    keysAreValues: booleanField(fields, "attention_k_eq_v"),
    hasMoeBlock: booleanField(fields, "enable_moe_block"),
    intermediateSizes: Array.isArray(fields.values.get("intermediate_size")) ? integersField(fields, "intermediate_size", WIDTH) : undefined,
    activationSparsity: activationSparsity(fields),
    altupStreams: integerField(fields, "altup_num_inputs", { min: 2, max: 16 }),
    altupActive: integerField(fields, "altup_active_idx", { min: 0, max: 16 }),
    altupCorrectScale: booleanField(fields, "altup_correct_scale"),
    laurelRank: integerField(fields, "laurel_rank", { min: 1, max: WIDTH.max }),
  };
}

/** One share for all layers, or one for each. */
function activationSparsity(fields: Fields): number[] | undefined {
  const value = fields.values.get("activation_sparsity_pattern");
  if (Array.isArray(value)) return numbersField(fields, "activation_sparsity_pattern", SHARE);
  const all = numberField(fields, "activation_sparsity_pattern", SHARE);
  return all === undefined ? undefined : Array.from({ length: integerField(fields, "num_hidden_layers", LAYERS) ?? 0 }, () => all);
}

/** Newer configs list what layers have of their own, the same for all that see everything. */
function globalLayer(fields: Fields): Fields | undefined {
  const layers = objectField(fields, "per_layer_config");
  const first = layers && [...layers.values].find(([, value]) => isJsonObject(value))?.[0];
  return layers && first !== undefined ? objectField(layers, first) : undefined;
}
