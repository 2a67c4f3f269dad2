import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, LinearSpec } from "../kernels/decoder_spec.ts";
import { ropeSpec } from "./rope.ts";

/** What the families built like Llama differ in. */
export interface LlamaTraits {
  kvHeads: number;
  headDim: number;
  tied: boolean;
  ropeTheta: number;
  qkvBias: boolean;
  outputBias: boolean;
  mlpBias: boolean;
  headNorms: boolean;
  /** Window of each layer; 0 when it sees everything. */
  window: (layer: number) => number;
}

/** Llama and its like: pre-norm blocks, rotary attention, SwiGLU (Touvron et al., "LLaMA"). */
export function llamaLike(config: ModelConfig, contextLength: number, traits: LlamaTraits): DecoderSpec {
  const { hiddenSize, vocabSize } = config;
  const { headDim } = traits;
  const maxPositionEmbeddings = config.maxPositionEmbeddings ?? 2048;
  return {
    hiddenSize,
    vocabSize,
    rmsNormEps: config.rmsNormEps ?? 1e-6,
    embedding: "model.embed_tokens",
    embeddingScale: 1,
    layers: Array.from({ length: config.layers }, (_, layer) => llamaLayer(config, traits, layer)),
    finalNorm: "model.norm",
    head: traits.tied ? "model.embed_tokens" : "lm_head",
    rope: ropeSpec(config.rope, traits.ropeTheta, { headDim, maxPositionEmbeddings, contextLength }),
  };
}

function llamaLayer(config: ModelConfig, traits: LlamaTraits, layer: number): LayerSpec {
  const { hiddenSize, intermediateSize, heads } = config;
  const { kvHeads, headDim, qkvBias, outputBias, mlpBias } = traits;
  const name = `model.layers.${layer}`;
  const linear = (module: string, rows: number, columns: number, bias: boolean): LinearSpec => ({ module: `${name}.${module}`, rows, columns, bias });
  return {
    attentionNorm: `${name}.input_layernorm`,
    attention: {
      heads,
      kvHeads,
      headDim,
      scale: headDim ** -0.5,
      window: traits.window(layer),
      headNorms: traits.headNorms ? { query: `${name}.self_attn.q_norm`, key: `${name}.self_attn.k_norm` } : undefined,
      query: linear("self_attn.q_proj", heads * headDim, hiddenSize, qkvBias),
      key: linear("self_attn.k_proj", kvHeads * headDim, hiddenSize, qkvBias),
      value: linear("self_attn.v_proj", kvHeads * headDim, hiddenSize, qkvBias),
      output: linear("self_attn.o_proj", hiddenSize, heads * headDim, outputBias),
    },
    mlpNorm: `${name}.post_attention_layernorm`,
    mlp: {
      intermediateSize,
      gate: linear("mlp.gate_proj", intermediateSize, hiddenSize, mlpBias),
      up: linear("mlp.up_proj", intermediateSize, hiddenSize, mlpBias),
      down: linear("mlp.down_proj", hiddenSize, intermediateSize, mlpBias),
    },
  };
}

/** Llama 1 to 3.2, SmolLM, TinyLlama and their fine-tunes. */
export function llama(config: ModelConfig, contextLength: number): DecoderSpec {
  const attentionBias = config.attentionBias ?? false;
  return llamaLike(config, contextLength, {
    kvHeads: config.kvHeads ?? config.heads,
    headDim: config.headDim ?? config.hiddenSize / config.heads,
    tied: config.tieWordEmbeddings ?? false,
    ropeTheta: 1e4,
    qkvBias: attentionBias,
    outputBias: attentionBias,
    mlpBias: config.mlpBias ?? false,
    headNorms: false,
    window: () => 0,
  });
}

/** Mistral: Llama with a sliding window on every layer, which null switches off and absence leaves at 4096. */
export function mistral(config: ModelConfig, contextLength: number): DecoderSpec {
  const window = config.slidingWindow === undefined ? 4096 : (config.slidingWindow ?? 0);
  return llamaLike(config, contextLength, {
    kvHeads: config.kvHeads ?? 8,
    headDim: config.headDim ?? config.hiddenSize / config.heads,
    tied: config.tieWordEmbeddings ?? false,
    ropeTheta: 1e4,
    qkvBias: false,
    outputBias: false,
    mlpBias: false,
    headNorms: false,
    window: () => window,
  });
}
