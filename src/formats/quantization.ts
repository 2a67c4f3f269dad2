import { booleanField, integerField, objectField, stringField, type Fields } from "./config_fields.ts";
import { isJsonNumber, isJsonObject, type JsonValue } from "./json_scanner.ts";
import { parseMlxQuantization, type MlxQuantization } from "./mlx_quantization.ts";

/** How a checkpoint of any other method than MLX is packed, as far as its tensors do not tell. */
export interface MethodQuantization {
  /** `quant_method` in lower case; "unknown" when the config names none. */
  method: string;
  /** What the method calls its storage format or version, in lower case. */
  format?: string;
  bits?: number;
  /** Every width of weights that a compressed-tensors config mentions. */
  weightBits: number[];
  /** Columns that share a scale; -1 for whole rows. */
  groupSize?: number;
  /** Whether columns are grouped in an order of their own (GPTQ's `desc_act`). */
  actOrder: boolean;
  /** Whether activations are rotated at run time (compressed-tensors' `transform_config`). */
  hasTransforms: boolean;
}

/** How a checkpoint is packed. */
export type Quantization = MlxQuantization | MethodQuantization;

const METHOD_KEYS = ["quantization_config", "compression_config"];
// Each method has a word of its own for the storage format.
const FORMAT_KEYS = ["checkpoint_format", "packing_format", "format", "version", "quant_type", "bnb_4bit_quant_type", "quant_algo", "linear_class"];
const BITS = { min: 1, max: 16 };
const GROUP_SIZE = { min: -1, max: 1 << 20 };

/** Read what a config says of quantisation; undefined when it says nothing. */
export function parseQuantization(config: Fields): Quantization | undefined {
  const mlx = parseMlxQuantization(config);
  if (mlx) return mlx;
  const fields = METHOD_KEYS.map((key) => objectField(config, key)).find((each) => each !== undefined);
  return fields && parseMethod(fields);
}

function parseMethod(fields: Fields): MethodQuantization {
  const text = (key: string) => (typeof fields.values.get(key) === "string" ? stringField(fields, key)?.toLowerCase() : undefined);
  const integer = (keys: readonly string[], bounds: typeof BITS) => keys.map((key) => integerField(fields, key, bounds)).find((each) => each !== undefined);
  const transforms = fields.values.has("transform_config") ? objectField(fields, "transform_config") : undefined;
  return {
    method: text("quant_method") ?? "unknown",
    format: FORMAT_KEYS.map(text).find((each) => each !== undefined),
    bits: integer(["bits", "w_bit", "num_bits"], BITS),
    weightBits: weightBits(fields.values.get("config_groups")),
    groupSize: integer(["group_size", "q_group_size"], GROUP_SIZE),
    actOrder: fields.values.has("desc_act") ? (booleanField(fields, "desc_act") ?? false) : false,
    hasTransforms: transforms !== undefined && transforms.values.size > 0,
  };
}

/** `config_groups` maps names to schemes, or the names of preset schemes (such as W4A16) to lists of modules. */
function weightBits(groups: JsonValue | undefined): number[] {
  if (!isJsonObject(groups)) return [];
  const widths = groups.entries.flatMap(([name, scheme]) => {
    const weights = isJsonObject(scheme) ? new Map(scheme.entries).get("weights") : undefined;
    const stated = isJsonObject(weights) ? new Map(weights.entries).get("num_bits") : undefined;
    const width = isJsonNumber(stated) ? stated.literal : /^W(\d)A/.exec(name)?.[1];
    return width === undefined ? [] : [Number(width)];
  });
  return [...new Set(widths)];
}
