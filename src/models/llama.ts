import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, NormSpec } from "../kernels/decoder_spec.ts";
import type { RopeSpec } from "../kernels/rope_spec.ts";
import { NO_ROPE, ropeSpec } from "./rope.ts";
import { activationOf, buildDecoder, LLAMA_NAMES, llamaTraits, ropeShape, type Traits } from "./traits.ts";

// Families that are Llama but for a switch or two.

/** Llama 1 to 3.2, SmolLM, TinyLlama and their fine-tunes. */
export function llama(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, llamaTraits(config, contextLength));
}

/** Mistral: a sliding window on every layer, which null switches off and absence leaves at 4096. */
export function mistral(config: ModelConfig, contextLength: number): DecoderSpec {
  const window = config.slidingWindow === undefined ? 4096 : (config.slidingWindow ?? 0);
  return buildDecoder(config, { ...llamaTraits(config, contextLength), kvHeads: config.kvHeads ?? 8, window: () => window });
}

/** Ministral 3: queries that grow with the logarithm of their position. */
export function ministral3(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...llamaTraits({ ...config, headDim: config.headDim ?? 128, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength),
    ...rotation(config, contextLength, { headDim: config.headDim ?? 128, theta: 1e6 }),
    kvHeads: config.kvHeads ?? 8,
  });
}

/** SmolLM 3: every so many layers, one without rotation. */
export function smollm3(config: ModelConfig, contextLength: number): DecoderSpec {
  const { rope } = rotation(config, contextLength, { theta: 2e6 });
  const interval = config.noRopeLayerInterval ?? 4;
  const rotates = (layer: number) => (config.noRopeLayers ? config.noRopeLayers[layer] === 1 : (layer + 1) % interval !== 0);
  const window = config.useSlidingWindow ? (config.slidingWindow ?? 0) : 0;
  return buildDecoder(config, {
    ...llamaTraits(config, contextLength),
    kvHeads: config.kvHeads ?? 4,
    tied: config.tieWordEmbeddings ?? true,
    rope: (layer) => (rotates(layer) ? rope(layer) : NO_ROPE),
    window: (layer) => (config.layerTypes?.[layer] === "sliding_attention" ? window : 0),
  });
}

/** ERNIE 4.5: neighbouring dimensions rotate together. */
export function ernie4_5(config: ModelConfig, contextLength: number): DecoderSpec {
  const bias = config.useBias ?? false;
  const headDim = config.headDim ?? 128;
  return buildDecoder(config, {
    ...llamaTraits({ ...config, headDim, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength),
    ...rotation(config, contextLength, { headDim, theta: 5e5, isInterleaved: true }),
    kvHeads: config.kvHeads ?? 2,
    tied: config.tieWordEmbeddings ?? true,
    qkvBias: bias,
    outputBias: bias,
    mlpBias: bias,
  });
}

/** Helium: as ERNIE, with a smaller epsilon. */
export function helium(config: ModelConfig, contextLength: number): DecoderSpec {
  const headDim = config.headDim ?? 128;
  return buildDecoder(config, {
    ...llamaTraits({ ...config, headDim, rmsNormEps: config.rmsNormEps ?? 1e-8 }, contextLength),
    ...rotation(config, contextLength, { headDim, theta: 1e5, isInterleaved: true }),
    kvHeads: config.kvHeads ?? 20,
    outputBias: false,
  });
}

/** HunYuan: norms of query and key heads that follow the rotation. */
export function hunyuan(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength),
    names: { ...LLAMA_NAMES, queryNorm: "self_attn.query_layernorm", keyNorm: "self_attn.key_layernorm" },
    queryKeyNorm: "headAfterRotation",
  });
}

/** Arcee: an MLP without a gate. */
export function arcee(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5, hiddenAct: config.hiddenAct ?? "relu2" }, contextLength),
    names: { ...LLAMA_NAMES, up: ["mlp.up_proj"] },
    isGated: false,
  });
}

/** Seed-OSS: biases on queries, keys and values, and a switch of its own for the output's. */
export function seedOss(config: ModelConfig, contextLength: number): DecoderSpec {
  const headDim = config.headDim ?? 128;
  return buildDecoder(config, {
    ...llamaTraits({ ...config, headDim }, contextLength),
    kvHeads: config.kvHeads ?? 8,
    qkvBias: config.attentionBias ?? true,
    outputBias: config.attentionOutBias ?? false,
  });
}

/** BitNet b1.58: squared ReLU gates, and norms before the last product of each branch. */
export function bitnet(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5, hiddenAct: config.hiddenAct ?? "relu2" }, contextLength);
  const spec = buildDecoder(config, { ...traits, kvHeads: config.kvHeads ?? 5, ...rotation(config, contextLength, { theta: 5e5 }) });
  const layers = spec.layers.map((layer, index): LayerSpec => {
    const norm = (module: string): NormSpec => ({ ...traits.norm, module: `model.layers.${index}.${module}` });
    const { attention, mlp } = layer;
    return {
      ...layer,
      attention: attention && { ...attention, outputNorm: norm("self_attn.attn_sub_norm") },
      mlp: mlp && { ...mlp, downNorm: norm("mlp.ffn_sub_norm") },
    };
  });
  return { ...spec, layers };
}

/** Nemotron: layer norms whose gains are stored around zero, and an MLP without a gate. */
export function nemotron(config: ModelConfig, contextLength: number): DecoderSpec {
  const headDim = config.headDim ?? 128;
  return buildDecoder(config, {
    ...llamaTraits({ ...config, headDim, hiddenAct: config.hiddenAct ?? "relu2" }, contextLength),
    ...rotation(config, contextLength, { headDim, partial: 0.5 }),
    names: { ...LLAMA_NAMES, up: ["mlp.up_proj"] },
    norm: { kind: "layer", epsilon: config.normEps ?? 1e-5, gainOffset: 1, bias: true },
    isGated: false,
  });
}

/** Apertus: norms of query and key heads, and a learned activation without a gate. */
export function apertus(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength),
    ...rotation(config, contextLength, { theta: 1.2e7 }),
    names: { ...LLAMA_NAMES, up: ["mlp.up_proj"] },
    norms: { attention: "attention_layernorm", mlp: "feedforward_layernorm" },
    queryKeyNorm: "head",
    activation: activationOf(config.hiddenAct ?? "xielu"),
    isGated: false,
  });
}

/** Phi 3, 3.5 and 4: fused projections, and LongRoPE under any of its names. */
export function phi3(config: ModelConfig, contextLength: number): DecoderSpec {
  const rope = config.rope.shortFactors ? { ...config.rope, type: "longrope" } : config.rope;
  const window = config.slidingWindow ?? 0;
  return buildDecoder(config, {
    ...llamaTraits({ ...config, rope, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength),
    names: { ...LLAMA_NAMES, qkv: ["self_attn.qkv_proj"], up: ["mlp.gate_up_proj"] },
    window: () => window,
  });
}

/** What a family's rotation has of its own. */
export interface Rotation {
  theta?: number;
  headDim?: number;
  /** The part of a head that rotates. */
  partial?: number;
  isInterleaved?: boolean;
}

/** A family's rotation, the same on every layer. */
export function rotation(config: ModelConfig, contextLength: number, own: Rotation): Pick<Traits, "rope"> {
  const { theta = 1e4, headDim = config.headDim ?? config.hiddenSize / config.heads, partial, isInterleaved = false } = own;
  const settings = { ...config.rope, partialRotaryFactor: config.rope.partialRotaryFactor ?? partial };
  const rope: RopeSpec = { ...ropeSpec(settings, theta, ropeShape(config, headDim, contextLength)), isInterleaved };
  return { rope: () => rope };
}
