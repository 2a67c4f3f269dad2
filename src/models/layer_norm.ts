import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { slides } from "./gemma.ts";
import { rotation } from "./llama.ts";
import { headByHead } from "./modules.ts";
import { NO_ROPE } from "./rope.ts";
import { buildDecoder, LLAMA_NAMES, llamaTraits, type ModuleNames, type Traits } from "./traits.ts";

// Families with layer norms; many run attention and MLP side by side.

function layerNormTraits(config: ModelConfig, contextLength: number): Traits {
  return { ...llamaTraits(config, contextLength), norm: { kind: "layer", epsilon: config.normEps ?? 1e-5, gainOffset: 0, bias: true } };
}

/** StableLM 2: a quarter of each head rotates; the 12B runs its branches in parallel. */
export function stablelm(config: ModelConfig, contextLength: number): DecoderSpec {
  const isParallel = config.useParallelResidual ?? false;
  return buildDecoder(config, {
    ...layerNormTraits(config, contextLength),
    ...rotation(config, contextLength, { partial: 0.25 }),
    names: { ...LLAMA_NAMES, queryNorm: "self_attn.q_layernorm.norms", keyNorm: "self_attn.k_layernorm.norms" },
    norms: { attention: "input_layernorm", mlp: isParallel ? "input_layernorm" : "post_attention_layernorm" },
    isParallel,
    qkvBias: config.useQkvBias ?? false,
    outputBias: false,
    queryKeyNorm: config.qkLayernorm ? "parts" : "none",
  });
}

/** Phi 1, 1.5 and 2: parallel branches under one norm, biases everywhere. */
export function phi(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...layerNormTraits({ ...config, hiddenAct: config.hiddenAct ?? "gelu_new" }, contextLength),
    ...rotation(config, contextLength, { partial: 0.5 }),
    ...ALL_BIASES,
    names: {
      ...LLAMA_NAMES,
      finalNorm: "model.final_layernorm",
      output: "self_attn.dense",
      up: ["mlp.fc1"],
      down: "mlp.fc2",
      queryNorm: "self_attn.q_layernorm",
      keyNorm: "self_attn.k_layernorm",
    },
    norms: { attention: "input_layernorm", mlp: "input_layernorm" },
    isParallel: true,
    headBias: true,
    queryKeyNorm: config.qkLayernorm ? "alike" : "none",
    isGated: false,
  });
}

/** StarCoder 2: sequential branches, biases everywhere. */
export function starcoder2(config: ModelConfig, contextLength: number): DecoderSpec {
  const bias = config.useBias ?? true;
  const window = config.slidingWindow ?? 0;
  return buildDecoder(config, {
    ...layerNormTraits({ ...config, hiddenAct: config.hiddenAct ?? "gelu_pytorch_tanh" }, contextLength),
    names: { ...LLAMA_NAMES, up: ["mlp.c_fc"], down: "mlp.c_proj" },
    kvHeads: config.kvHeads ?? 2,
    tied: config.tieWordEmbeddings ?? true,
    qkvBias: bias,
    outputBias: bias,
    mlpBias: bias,
    isGated: false,
    window: () => window,
  });
}

/** Command R7B: parallel branches under one norm without bias; only layers with a window rotate. */
export function cohere2(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = layerNormTraits(config, contextLength);
  const { rope } = rotation(config, contextLength, { isInterleaved: true });
  const pattern = config.slidingWindowPattern ?? 4;
  return buildDecoder(config, {
    ...traits,
    norm: { ...traits.norm, bias: false },
    norms: { attention: "input_layernorm", mlp: "input_layernorm" },
    isParallel: true,
    tied: config.tieWordEmbeddings ?? true,
    logitScale: config.logitScale ?? 0.0625,
    rope: (layer) => (slides(config, layer, pattern) ? rope(layer) : NO_ROPE),
    window: (layer) => (slides(config, layer, pattern) ? (config.slidingWindow ?? 4096) : 0),
  });
}

/** Command R: as Command R7B, but every layer sees everything and rotates; Command R+ normalises queries and keys. */
export function cohere(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = layerNormTraits(config, contextLength);
  return buildDecoder(config, {
    ...traits,
    ...rotation(config, contextLength, { theta: 5e5, isInterleaved: true }),
    norm: { ...traits.norm, bias: false },
    norms: { attention: "input_layernorm", mlp: "input_layernorm" },
    queryKeyNorm: config.useQkNorm ? "rows" : "none",
    isParallel: true,
    tied: config.tieWordEmbeddings ?? true,
    logitScale: config.logitScale ?? 0.0625,
  });
}

/** GPT-2: learned positions, and matrices stored the other way round. */
export function gpt2(config: ModelConfig, contextLength: number): DecoderSpec {
  const rows = 3 * config.hiddenSize; // of what MLX turns round, which else are its columns
  const isRewritten = (shape: readonly number[]) => shape[0] === rows;
  return { ...gpt2As(config, contextLength, true), savedByMlx: { tensor: "transformer.h.0.attn.c_attn.weight", isRewritten, spec: gpt2As(config, contextLength, false) } };
}

function gpt2As(config: ModelConfig, contextLength: number, isTransposed: boolean): DecoderSpec {
  const spec = buildDecoder(config, {
    ...layerNormTraits({ ...config, hiddenAct: config.hiddenAct ?? "gelu_new" }, contextLength),
    ...ALL_BIASES,
    names: {
      ...LLAMA_NAMES,
      embedding: "transformer.wte",
      finalNorm: "transformer.ln_f",
      layers: "transformer.h",
      qkv: ["attn.c_attn"],
      output: "attn.c_proj",
      up: ["mlp.c_fc"],
      down: "mlp.c_proj",
    },
    norms: { attention: "ln_1", mlp: "ln_2" },
    tied: config.tieWordEmbeddings ?? true,
    isTransposed,
    isGated: false,
    rope: () => NO_ROPE,
  });
  return { ...spec, positions: { module: "transformer.wpe", rows: config.maxPositionEmbeddings ?? 1024 } };
}

/** GPT-NeoX and Pythia: parallel branches with a norm each; queries, keys and values lie together head by head. */
export function gptNeox(config: ModelConfig, contextLength: number): DecoderSpec {
  const spec = gptNeoxAs(config, contextLength, { head: "embed_out", layers: "gpt_neox.layers" });
  const renamed = { head: "gpt_neox.embed_out", layers: "gpt_neox.h" }; // by MLX
  return { ...spec, savedByMlx: { tensor: `${renamed.layers}.0.input_layernorm.weight`, isRewritten: () => true, spec: gptNeoxAs(config, contextLength, renamed) } };
}

function gptNeoxAs(config: ModelConfig, contextLength: number, own: Pick<ModuleNames, "head" | "layers">): DecoderSpec {
  const { hiddenSize, heads, attentionBias: bias = true } = config;
  const spec = buildDecoder(config, {
    ...layerNormTraits({ ...config, hiddenAct: config.hiddenAct ?? "gelu" }, contextLength),
    ...rotation(config, contextLength, { partial: 0.25 }),
    names: {
      ...LLAMA_NAMES,
      embedding: "gpt_neox.embed_in",
      finalNorm: "gpt_neox.final_layer_norm",
      ...own,
      output: "attention.dense",
      up: ["mlp.dense_h_to_4h"],
      down: "mlp.dense_4h_to_h",
    },
    kvHeads: heads,
    isParallel: config.useParallelResidual ?? true,
    outputBias: bias,
    mlpBias: true,
    isGated: false,
  });
  const layers = spec.layers.map((layer, index) => {
    const module = { module: `${own.layers}.${index}.attention.query_key_value`, rows: 3 * hiddenSize, bias };
    return { ...layer, attention: layer.attention && { ...layer.attention, qkv: headByHead(module.module, hiddenSize, module, heads) } };
  });
  return { ...spec, layers };
}

const ALL_BIASES = { qkvBias: true, outputBias: true, mlpBias: true } as const;
