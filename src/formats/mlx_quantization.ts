import {
  integerField, objectField, stringField, wrongType, type Bounds, type Fields,
} from "./config_fields.ts";
import { isJsonObject } from "./json_scanner.ts";

/** How one module's weights are packed. */
export interface MlxParameters {
  groupSize: number;
  bits: number;
  mode: string;
}

/** How an MLX checkpoint is packed: parameters for all modules, and the modules that differ. */
export interface MlxQuantization extends MlxParameters {
  /** Module path (a tensor name without ".weight") to its own parameters, or false where it is left in float. */
  overrides: Map<string, false | MlxParameters>;
}

const GROUP_SIZE: Bounds = { min: 1, max: 4096 };
const BITS: Bounds = { min: 1, max: 16 };

// What MLX assumes per mode when a dict leaves the field out.
const MODE_DEFAULTS: Readonly<Record<string, { groupSize: number; bits: number }>> = {
  affine: { groupSize: 64, bits: 4 },
  mxfp4: { groupSize: 32, bits: 4 },
  mxfp8: { groupSize: 32, bits: 8 },
  nvfp4: { groupSize: 16, bits: 4 },
};

/** Read MLX quantisation from `quantization`, or from a `quantization_config` that names no other method. */
export function parseMlxQuantization(config: Fields): MlxQuantization | undefined {
  const fields = objectField(config, "quantization") ?? unnamedConfig(config);
  if (fields === undefined) return undefined;
  const parameters = parseParameters(fields);
  const overrides: MlxQuantization["overrides"] = new Map();
  for (const [path, value] of fields.values) {
    if (value === false) overrides.set(path, false);
    if (value === true) overrides.set(path, parameters);
    const own = isJsonObject(value) ? objectField(fields, path) : undefined;
    if (own !== undefined) overrides.set(path, parseParameters(own));
  }
  return { ...parameters, overrides };
}

// MLX writes the same dict under both keys and without quant_method; every other format names its method.
function unnamedConfig(config: Fields): Fields | undefined {
  const fields = objectField(config, "quantization_config");
  if (fields === undefined || stringField(fields, "quant_method") !== undefined) return undefined;
  return fields.values.has("group_size") && fields.values.has("bits") ? fields : undefined;
}

function parseParameters(fields: Fields): MlxParameters {
  const mode = stringField(fields, "mode") ?? "affine";
  const defaults = Object.hasOwn(MODE_DEFAULTS, mode) ? MODE_DEFAULTS[mode] : undefined;
  return {
    groupSize: integerField(fields, "group_size", GROUP_SIZE) ?? defaults?.groupSize
      ?? wrongType(fields, "group_size", `a group size for mode "${mode}"`),
    bits: integerField(fields, "bits", BITS) ?? defaults?.bits ?? wrongType(fields, "bits", `a bit width for mode "${mode}"`),
    mode,
  };
}
