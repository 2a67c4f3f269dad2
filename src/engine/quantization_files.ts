import type { ModelConfig } from "../formats/model_config.ts";
import { parseQuantizationFile, QUANTIZATION_FILES, type Quantization } from "../formats/quantization.ts";
import type { WeightFile } from "../formats/shard_index.ts";
import type { Checkpoint, CheckpointFile } from "../storage/checkpoint.ts";
import { readText } from "./checkpoint_text.ts";

// Tensors of the formats that may be described in a file of their own; without any, nothing is asked for.
const DESCRIBED_APART = /\.(qweight|weight_scale)$/;

/** Learn how a checkpoint is packed: from its config, or from a file beside it where that says nothing of packed tensors. */
export async function readQuantization(
  checkpoint: Checkpoint, config: ModelConfig, files: readonly WeightFile<CheckpointFile>[], signal?: AbortSignal,
): Promise<Quantization | undefined> {
  const isPacked = files.some(({ header }) => [...header.tensors.keys()].some((name) => DESCRIBED_APART.test(name)));
  if (config.quantization || !isPacked) return config.quantization;
  for (const name of QUANTIZATION_FILES) {
    const text = await readText(checkpoint, name, signal);
    if (text !== undefined) return parseQuantizationFile(text, name);
  }
  return undefined;
}
