import { HearthError } from "../errors.ts";
import { parseModelConfig, readModelType, type ModelConfig } from "../formats/model_config.ts";
import type { WeightFile } from "../formats/shard_index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { longestContext } from "../kernels/kv_cache.ts";
import { decoderSpec, requireFamily } from "../models/registry.ts";
import { requireSupportedMethod } from "../quant/formats.ts";
import type { Checkpoint, CheckpointFile } from "../storage/checkpoint.ts";
import { checkBudget } from "../storage/eviction.ts";
import { readText } from "./checkpoint_text.ts";
import type { WeightOptions } from "./load_weights.ts";
import type { LoadOptions } from "./options.ts";
import { readQuantization } from "./quantization_files.ts";
import { chooseQuantize } from "./quantize_choice.ts";
import { isNeverRead } from "./tensor_names.ts";

const DEFAULT_CONTEXT = 4096; // bounds the cache of models that could take a hundred thousand tokens

/** Read config.json, and refuse what it shows that Hearth cannot run. */
export async function readConfig(checkpoint: Checkpoint, signal?: AbortSignal): Promise<ModelConfig> {
  const configText = await readText(checkpoint, "config.json", signal);
  if (configText === undefined) {
    throw new HearthError("file-not-found", `${checkpoint.id}: expected config.json, found none. Check the name; a model is a folder in Hugging Face layout.`);
  }
  requireFamily(readModelType(configText));
  const config = parseModelConfig(configText);
  requireSupportedMethod(config.quantization);
  return config;
}

/** Refuse options that make no sense. */
export function checkLoadOptions({ quantize, kvCache, prefillBits, contextLength, store, storageBudget, tune }: LoadOptions): void {
  if (store !== undefined && !["preferred", "required", "none"].includes(store)) {
    throw new HearthError("invalid-options", `store: expected "preferred", "required" or "none", found "${String(store)}"`);
  }
  if (storageBudget !== undefined) checkBudget("storageBudget", storageBudget);
  if (storageBudget !== undefined && store === "none") {
    throw new HearthError("invalid-options", `storageBudget: expected none, found ${storageBudget} beside store: "none", which stores nothing`);
  }
  if (quantize !== undefined && !["q4", "q8", "none"].includes(quantize)) {
    throw new HearthError("invalid-options", `quantize: expected "q4", "q8" or "none", found "${String(quantize)}"`);
  }
  if (kvCache !== undefined && !["f16", "int8", "f32"].includes(kvCache)) {
    throw new HearthError("invalid-options", `kvCache: expected "f16", "int8" or "f32", found "${String(kvCache)}"`);
  }
  if (prefillBits !== undefined && prefillBits !== 8 && prefillBits !== 16) {
    throw new HearthError("invalid-options", `prefillBits: expected 8 or 16, found "${String(prefillBits)}"`);
  }
  if (tune !== undefined && typeof tune !== "boolean") {
    throw new HearthError("invalid-options", `tune: expected true or false, found "${String(tune)}"`);
  }
  if (contextLength !== undefined && !(Number.isInteger(contextLength) && contextLength > 0)) {
    throw new HearthError("invalid-options", `contextLength: expected a positive integer, found ${contextLength}`);
  }
}

/** Find out how weights are packed, and choose what floats among them become while they load; refuse what Hearth cannot read. */
export async function planWeights(
  checkpoint: Checkpoint, config: ModelConfig, files: readonly WeightFile<CheckpointFile>[], options: LoadOptions, signal?: AbortSignal,
): Promise<WeightOptions> {
  const quantization = await readQuantization(checkpoint, config, files, signal);
  requireSupportedMethod(quantization);
  const read = files.flatMap(({ header }) => [...header.tensors.values()]).filter(({ name }) => !isNeverRead(name));
  const quantize = options.quantize ?? chooseQuantize(read);
  return { quantization, quantize: quantize === "none" ? undefined : quantize };
}

/** Choose the context: what was asked for, else what model, memory bindings and the default allow. */
export function planContext(gpu: Gpu, config: ModelConfig, options: LoadOptions): { spec: DecoderSpec; contextLength: number } {
  const trained = config.maxPositionEmbeddings ?? DEFAULT_CONTEXT;
  const wanted = options.contextLength ?? Math.min(trained, DEFAULT_CONTEXT);
  const spec = decoderSpec(config, wanted);
  const reach = config.rope.type === "dynamic" ? Infinity : trained; // dynamic scaling is made to outgrow the trained length
  const longest = Math.min(reach, longestContext(gpu, spec, options.kvCache ?? "f16", 1));
  if (options.contextLength !== undefined && wanted > longest) {
    throw new HearthError("invalid-options", `contextLength: expected at most ${longest} for this model on this GPU, found ${wanted}`);
  }
  return { spec, contextLength: Math.min(wanted, longest) };
}
