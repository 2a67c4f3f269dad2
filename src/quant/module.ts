import { HearthError } from "../errors.ts";
import type { MlxQuantization } from "../formats/model_config.ts";
import { floatModule } from "./float.ts";
import { mlxAffineModule } from "./mlx_affine.ts";
import { SUPPORTED_FORMATS, type FindTensor, type ModuleWeights } from "./module_weights.ts";

/**
 * Recognise how a module's weight is stored, by the tensors that are there and not by the repo's name.
 * Throws `corrupt-checkpoint` when tensors contradict each other, `unsupported-checkpoint` when no format fits.
 */
export function recogniseModule(module: string, find: FindTensor, quantization: MlxQuantization | undefined): ModuleWeights {
  const weight = find(`${module}.weight`);
  if (!weight) throw unreadable(module, find);
  if (find(`${module}.scales`)) return mlxAffineModule(module, find, quantization);
  return floatModule(module, weight);
}

/** A module without a plain weight: name the format when its tensors betray one. */
function unreadable(module: string, find: FindTensor): HearthError {
  const known = { qweight: "GPTQ or AWQ", weight_packed: "compressed-tensors", W_q: "HQQ", weight_quantized: "quanto" };
  for (const [suffix, format] of Object.entries(known)) {
    if (find(`${module}.${suffix}`)) {
      return new HearthError("unsupported-checkpoint", `${module}: stored as ${format} ("${suffix}"). Hearth reads ${SUPPORTED_FORMATS}.`);
    }
  }
  return new HearthError("corrupt-checkpoint", `${module}.weight: expected in the checkpoint, found in none of its files`);
}
