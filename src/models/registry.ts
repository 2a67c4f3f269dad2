import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { llama, mistral } from "./llama.ts";
import { qwen2, qwen3 } from "./qwen.ts";

/** Builds the spec of one family for a session of at most `contextLength` positions. */
export type Family = (config: ModelConfig, contextLength: number) => DecoderSpec;

/** Every family that Hearth runs, by model_type. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ["llama", llama],
  ["mistral", mistral],
  ["qwen2", qwen2],
  ["qwen3", qwen3],
]);

/** Refuse a model_type that no family claims, naming those that one does. */
export function requireFamily(modelType: string): Family {
  const family = FAMILIES.get(modelType);
  if (family) return family;
  throw new HearthError("unsupported-checkpoint", `config.json: model_type "${modelType}" is not supported. Supported are ${[...FAMILIES.keys()].join(", ")}.`);
}

/** Build a checkpoint's spec, and check what every kernel relies on. */
export function decoderSpec(config: ModelConfig, contextLength: number): DecoderSpec {
  const spec = requireFamily(config.modelType)(config, contextLength);
  if (config.hiddenAct !== undefined && config.hiddenAct !== "silu") {
    throw new HearthError("unsupported-checkpoint", `config.json: hidden_act "${config.hiddenAct}" is not supported; expected "silu"`);
  }
  for (const { attention } of spec.layers.slice(0, 1)) {
    const { heads, kvHeads, headDim } = attention;
    if (!Number.isInteger(headDim) || headDim % 8 !== 0 || headDim > 256) {
      throw new HearthError("unsupported-checkpoint", `config.json: head_dim ${headDim} is not supported; expected a multiple of 8 up to 256`);
    }
    if (heads % kvHeads !== 0) {
      throw new HearthError("corrupt-checkpoint", `config.json: ${heads} attention heads cannot share ${kvHeads} key-value heads evenly`);
    }
  }
  return spec;
}
