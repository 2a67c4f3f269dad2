import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { falconH1 } from "./falcon_h1.ts";
import { gemma, gemma2, gemma3 } from "./gemma.ts";
import { gemma3n } from "./gemma3n.ts";
import { gemma4 } from "./gemma4.ts";
import { granite, graniteSwa } from "./granite.ts";
import { graniteHybrid, graniteMoe } from "./granite_hybrid.ts";
import { cohere, cohere2, gpt2, gptNeox, phi, stablelm, starcoder2 } from "./layer_norm.ts";
import { lfm2, lfm2Moe } from "./lfm2.ts";
import { apertus, arcee, bitnet, ernie4_5, helium, hunyuan, llama, ministral3, mistral, nemotron, phi3, seedOss, smollm3 } from "./llama.ts";
import { gptOss, mixtral, olmoe, qwen2Moe, qwen3Moe } from "./moe.ts";
import { exaone4, glm, glm4, olmo2, olmo3 } from "./olmo.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { qwen3_5, qwen3_5Moe, qwen3Next } from "./qwen35.ts";

/** Builds the spec of one family for a session of at most `contextLength` positions. */
export type Family = (config: ModelConfig, contextLength: number) => DecoderSpec;

/** Every family that Hearth runs, by model_type. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ["apertus", apertus],
  ["arcee", arcee],
  ["bitnet", bitnet],
  ["cohere", cohere],
  ["cohere2", cohere2],
  ["ernie4_5", ernie4_5],
  ["exaone4", exaone4],
  ["falcon_h1", falconH1],
  ["gemma", gemma],
  ["gemma2", gemma2],
  ["gemma3", gemma3],
  ["gemma3_text", gemma3],
  ["gemma3n", gemma3n],
  ["gemma3n_text", gemma3n],
  ["gemma4", gemma4],
  ["gemma4_text", gemma4],
  ["gemma4_unified", gemma4],
  ["glm", glm],
  ["glm4", glm4],
  ["gpt2", gpt2],
  ["gpt_neox", gptNeox],
  ["gpt_oss", gptOss],
  ["granite", granite],
  ["granite_swa", graniteSwa],
  ["granitemoe", graniteMoe],
  ["granitemoehybrid", graniteHybrid],
  ["helium", helium],
  ["hunyuan_v1_dense", hunyuan],
  ["lfm2", lfm2],
  ["lfm2_moe", lfm2Moe],
  ["llama", llama],
  ["ministral3", ministral3],
  ["mistral", mistral],
  ["mixtral", mixtral],
  ["nemotron", nemotron],
  ["olmo2", olmo2],
  ["olmo3", olmo3],
  ["olmoe", olmoe],
  ["phi", phi],
  ["phi3", phi3],
  ["qwen2", qwen2],
  ["qwen2_moe", qwen2Moe],
  ["qwen3", qwen3],
  ["qwen3_5", qwen3_5],
  ["qwen3_5_moe", qwen3_5Moe],
  ["qwen3_5_moe_text", qwen3_5Moe],
  ["qwen3_5_text", qwen3_5],
  ["qwen3_moe", qwen3Moe],
  ["qwen3_next", qwen3Next],
  ["seed_oss", seedOss],
  ["smollm3", smollm3],
  ["stablelm", stablelm],
  ["starcoder2", starcoder2],
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
  for (const { attention, moe } of spec.layers) {
    if (moe && !(moe.experts > 0 && moe.chosen > 0 && moe.chosen <= moe.experts && moe.intermediateSize > 0)) {
      throw new HearthError("corrupt-checkpoint", `config.json: a token cannot choose ${moe.chosen} of ${moe.experts} experts of width ${moe.intermediateSize}`);
    }
    if (!attention) continue;
    const { heads, kvHeads, headDim } = attention;
    if (!Number.isInteger(headDim) || headDim % 8 !== 0 || headDim > 512) {
      throw new HearthError("unsupported-checkpoint", `config.json: head_dim ${headDim} is not supported; expected a multiple of 8 up to 512`);
    }
    if (heads % kvHeads !== 0) {
      throw new HearthError("corrupt-checkpoint", `config.json: ${heads} attention heads cannot share ${kvHeads} key-value heads evenly`);
    }
  }
  return spec;
}
