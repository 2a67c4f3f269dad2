import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { slides } from "./gemma.ts";
import { rotation } from "./llama.ts";
import { NO_ROPE, ropeSpec } from "./rope.ts";
import { buildDecoder, llamaTraits, ropeShape, type Traits } from "./traits.ts";

// Families that normalise what a branch gives instead of what it takes.

function postNormTraits(config: ModelConfig, contextLength: number): Traits {
  return {
    ...llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength),
    norms: { attentionPost: "post_attention_layernorm", mlpPost: "post_feedforward_layernorm" },
  };
}

/** OLMo 2: queries and keys are normalised over all heads at once. */
export function olmo2(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, { ...postNormTraits(config, contextLength), queryKeyNorm: "whole" });
}

/** OLMo 3: a window on three layers of four; rope scaling is for the fourth. */
export function olmo3(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = postNormTraits(config, contextLength);
  const shape = ropeShape(config, traits.headDim, contextLength);
  const full = ropeSpec(config.rope, 5e5, shape);
  const sliding = ropeSpec(config.slidingRope ?? { type: "default", theta: config.rope.theta }, 5e5, shape);
  const window = config.slidingWindow === undefined ? 4096 : (config.slidingWindow ?? 0);
  return buildDecoder(config, {
    ...traits,
    queryKeyNorm: "whole",
    rope: (layer) => (slides(config, layer, 4) ? sliding : full),
    window: (layer) => (slides(config, layer, 4) ? window : 0),
  });
}

/** EXAONE 4: norms of query and key heads; where layers have windows, only those rotate. */
export function exaone4(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = postNormTraits(config, contextLength);
  const window = config.slidingWindow === undefined ? 4096 : (config.slidingWindow ?? 0);
  const pattern = config.slidingWindowPattern ?? 4;
  const isSliding = (layer: number) => window > 0 && slides(config, layer, pattern);
  return buildDecoder(config, {
    ...traits,
    queryKeyNorm: "head",
    rope: (layer) => (window === 0 || isSliding(layer) ? traits.rope(layer) : NO_ROPE),
    window: (layer) => (isSliding(layer) ? window : 0),
  });
}

/** GLM 4 before its 0414 release, and GLM Edge: half of each head rotates, neighbours together; gate and up are one. */
export function glm(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, glmTraits(config, contextLength));
}

/** GLM 4 0414: norms of what branches give, too. */
export function glm4(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = glmTraits(config, contextLength);
  const norms = { ...traits.norms, attentionPost: "post_self_attn_layernorm", mlpPost: "post_mlp_layernorm" };
  return buildDecoder(config, { ...traits, norms });
}

function glmTraits(config: ModelConfig, contextLength: number): Traits {
  const headDim = config.headDim ?? 128;
  const traits = llamaTraits({ ...config, headDim, rmsNormEps: config.rmsNormEps ?? 1.5625e-7 }, contextLength);
  return {
    ...traits,
    ...rotation(config, contextLength, { headDim, partial: 0.5, isInterleaved: true }),
    names: { ...traits.names, up: ["mlp.gate_up_proj"] },
    kvHeads: config.kvHeads ?? 2,
    qkvBias: config.attentionBias ?? true,
    outputBias: false,
  };
}
