import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { ropeSpec } from "./rope.ts";
import { buildDecoder, llamaTraits, ropeShape, type Traits } from "./traits.ts";

/** What all Gemmas share: gains stored around zero, embeddings scaled up, tanh GELU whatever the config says. */
function gemmaTraits(config: ModelConfig, contextLength: number): Traits {
  const headDim = config.headDim ?? 256;
  return {
    ...llamaTraits({ ...config, headDim, hiddenAct: "gelu_pytorch_tanh" }, contextLength),
    tied: config.tieWordEmbeddings ?? true,
    norm: { kind: "rms", epsilon: config.rmsNormEps ?? 1e-6, gainOffset: 1, bias: false },
    embeddingScale: rounded(Math.sqrt(config.hiddenSize), config.dtype),
  };
}

/** Gemma 1. */
export function gemma(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, { ...gemmaTraits(config, contextLength), kvHeads: config.kvHeads ?? 16 });
}

/** Gemma 2: norms around both branches, bounded scores and logits, a window on every other layer. */
export function gemma2(config: ModelConfig, contextLength: number): DecoderSpec {
  const { attnLogitSoftcapping: scoreCap = 50, finalLogitSoftcapping: logitCap = 30 } = config;
  return buildDecoder(config, {
    ...sandwichTraits(config, contextLength),
    scoreCap: scoreCap ?? 0,
    logitCap: logitCap ?? 0,
    window: (layer) => (slides(config, layer, 2) ? (config.slidingWindow ?? 4096) : 0),
  });
}

/** Gemma 3: norms of query and key heads, a window on five layers of six, and a rope of its own on those. */
export function gemma3(config: ModelConfig, contextLength: number): DecoderSpec {
  if (config.useBidirectionalAttention) {
    throw new HearthError("unsupported-checkpoint", "config.json: use_bidirectional_attention: Hearth runs decoders, and this model is an encoder");
  }
  const headDim = config.headDim ?? 256;
  const shape = ropeShape(config, headDim, contextLength);
  const full = ropeSpec(config.rope, 1e6, shape);
  const sliding = ropeSpec(config.slidingRope ?? { type: "default" }, 1e4, shape);
  const pattern = config.slidingWindowPattern ?? 6;
  return buildDecoder(config, {
    ...sandwichTraits(config, contextLength),
    queryKeyNorm: "head",
    scoreCap: config.attnLogitSoftcapping ?? 0,
    logitCap: config.finalLogitSoftcapping ?? 0,
    rope: (layer) => (slides(config, layer, pattern) ? sliding : full),
    window: (layer) => (slides(config, layer, pattern) ? (config.slidingWindow ?? 4096) : 0),
  });
}

function sandwichTraits(config: ModelConfig, contextLength: number): Traits {
  return {
    ...gemmaTraits(config, contextLength),
    kvHeads: config.kvHeads ?? 4,
    norms: {
      attention: "input_layernorm",
      attentionPost: "post_attention_layernorm",
      mlp: "pre_feedforward_layernorm",
      mlpPost: "post_feedforward_layernorm",
    },
    scale: (config.queryPreAttnScalar ?? 256) ** -0.5,
  };
}

/** Whether a layer has a window: by its type where the config tells, else all but every `pattern`th. */
export function slides({ layerTypes }: ModelConfig, layer: number, pattern: number): boolean {
  return layerTypes ? layerTypes[layer] === "sliding_attention" : (layer + 1) % pattern !== 0;
}

/** The reference rounds the factor of the embeddings to the format of the weights. */
export function rounded(value: number, dtype = "bfloat16"): number {
  if (dtype === "float32") return value;
  const bits = dtype === "float16" ? 11 : 8; // of the significand
  const step = 2 ** (Math.floor(Math.log2(value)) - bits + 1);
  return Math.round(value / step) * step;
}
