import { booleanField, integerField, integersField, objectField, parseFields, stringField, type Fields } from "./config_fields.ts";
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
  /** Rows and columns of the blocks that share a scale. */
  blockSize?: number[];
  /** Whether columns are grouped in an order of their own (GPTQ's `desc_act`). */
  actOrder: boolean;
  /** Whether weights are stored as floats that are rounded each time they are used (BitNet's `quantization_mode`). */
  isOnline: boolean;
  /** Whether activations are rotated at run time (compressed-tensors' `transform_config`). */
  hasTransforms: boolean;
}

/** How a checkpoint is packed. */
export type Quantization = MlxQuantization | MethodQuantization;

/** Files that say how a checkpoint is packed where config.json does not, in the order in which they are looked for. */
export const QUANTIZATION_FILES = ["quantize_config.json", "quant_config.json", "hf_quant_config.json"] as const;

// Whose files they are: AutoGPTQ's, AutoAWQ's and ModelOpt's. The last keeps its fields one level down.
const FILE_METHODS = { "quantize_config.json": "gptq", "quant_config.json": "awq", "hf_quant_config.json": "modelopt" } as const;

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
  return fields && parseMethod(fields, "unknown");
}

/** Read one of the files that stand beside a config. */
export function parseQuantizationFile(text: string, fileName: (typeof QUANTIZATION_FILES)[number]): MethodQuantization {
  const fields = parseFields(text, fileName);
  return parseMethod(objectField(fields, "quantization") ?? fields, FILE_METHODS[fileName]);
}

function parseMethod(fields: Fields, unnamed: string): MethodQuantization {
  const text = (key: string) => (typeof fields.values.get(key) === "string" ? stringField(fields, key)?.toLowerCase() : undefined);
  const integer = (keys: readonly string[], bounds: typeof BITS) => keys.map((key) => integerField(fields, key, bounds)).find((each) => each !== undefined);
  const transforms = fields.values.has("transform_config") ? objectField(fields, "transform_config") : undefined;
  return {
    method: text("quant_method") ?? unnamed,
    format: FORMAT_KEYS.map(text).find((each) => each !== undefined),
    bits: integer(["bits", "w_bit", "num_bits"], BITS),
    weightBits: weightBits(fields.values.get("config_groups")),
    groupSize: integer(["group_size", "q_group_size"], GROUP_SIZE),
    blockSize: blockSize(fields),
    actOrder: fields.values.has("desc_act") ? (booleanField(fields, "desc_act") ?? false) : false,
    isOnline: text("quantization_mode") === "online",
    hasTransforms: transforms !== undefined && transforms.values.size > 0,
  };
}

/** `weight_block_size`, or `block_structure` of the first compressed-tensors scheme that has one. */
function blockSize(fields: Fields): number[] | undefined {
  const sizes = integersField(fields, "weight_block_size", { min: 1, max: GROUP_SIZE.max });
  if (sizes.length === 2) return sizes;
  const structures = schemes(fields.values.get("config_groups")).flatMap(([, weights]) => {
    const structure = weights.get("block_structure");
    return Array.isArray(structure) ? [structure.map((size) => (isJsonNumber(size) ? Number(size.literal) : Number.NaN))] : [];
  });
  return structures.find((structure) => structure.length === 2 && structure.every((size) => Number.isInteger(size) && size > 0));
}

/** Widths that `config_groups` mentions, in its schemes or in the names of preset ones, such as W4A16. */
function weightBits(groups: JsonValue | undefined): number[] {
  const widths = schemes(groups).flatMap(([name, weights]) => {
    const stated = weights.get("num_bits");
    const width = isJsonNumber(stated) ? stated.literal : /^W(\d)A/.exec(name)?.[1];
    return width === undefined ? [] : [Number(width)];
  });
  return [...new Set(widths)];
}

/** The named schemes of a compressed-tensors config, and what each says of weights; a preset's name maps to a list of modules instead. */
function schemes(groups: JsonValue | undefined): [name: string, weights: ReadonlyMap<string, JsonValue>][] {
  if (!isJsonObject(groups)) return [];
  return groups.entries.map(([name, scheme]) => {
    const weights = isJsonObject(scheme) ? new Map(scheme.entries).get("weights") : undefined;
    return [name, new Map(isJsonObject(weights) ? weights.entries : [])];
  });
}
