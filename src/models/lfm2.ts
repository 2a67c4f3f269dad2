import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, MlpSpec, Routing, ShortConvSpec } from "../kernels/decoder_spec.ts";
import { rotation } from "./llama.ts";
import { interleaved, stacked } from "./modules.ts";
import { expertsOf, type ExpertNames } from "./moe.ts";
import { buildDecoder, LLAMA_NAMES, llamaTraits } from "./traits.ts";

/** LFM 2: short convolutions in most layers, attention with norms of query and key heads in the others. */
export function lfm2(config: ModelConfig, contextLength: number): DecoderSpec {
  const width = config.intermediateSize;
  return hybrid(config, contextLength, config.blockAutoAdjustFfDim === false ? width : adjustedWidth(config, width));
}

/** LFM 2 with a mixture of experts after its first layers. */
export function lfm2Moe(config: ModelConfig, contextLength: number): DecoderSpec {
  const spec = hybrid(config, contextLength, config.intermediateSize);
  const dense = config.denseLayers ?? 2;
  const names: ExpertNames = { router: "feed_forward.gate", experts: "feed_forward.experts", gate: "w1", up: "w3", down: "w2", together: "feed_forward.switch_mlp" };
  const experts = (index: number) => {
    const name = `model.layers.${index}`;
    const bias = (config.useExpertBias ?? true) ? `${name}.feed_forward.expert_bias` : undefined;
    const routing: Routing = { kind: "sigmoid", bias, isNormalised: config.normTopkProb ?? true, scale: config.routedScalingFactor ?? 1 };
    return expertsOf(config, name, names, routing);
  };
  const layers = spec.layers.map((layer, index): LayerSpec =>
    index < dense ? { ...layer, mlp: layer.mlp && renamed(layer.mlp, index, config) } : { ...layer, mlp: undefined, moe: experts(index) });
  return { ...spec, layers };
}

/** The dense layers of a model with experts are renamed, too, when MLX saves it. */
function renamed(mlp: MlpSpec, index: number, { hiddenSize, intermediateSize }: ModelConfig): MlpSpec {
  const module = (suffix: string, rows: number) => ({ module: `model.layers.${index}.feed_forward.${suffix}`, rows, bias: false });
  const up = interleaved(mlp.up.label, hiddenSize, [module("gate_proj", intermediateSize), module("up_proj", intermediateSize)]);
  const down = stacked(mlp.down.label, intermediateSize, [module("down_proj", hiddenSize)]);
  return { ...mlp, up: { ...mlp.up, spellings: [up.sources] }, down: { ...mlp.down, spellings: [down.sources] } };
}

function hybrid(config: ModelConfig, contextLength: number, intermediateSize: number): DecoderSpec {
  const spec = buildDecoder({ ...config, intermediateSize }, {
    ...llamaTraits({ ...config, rmsNormEps: config.normEps ?? 1e-5 }, contextLength),
    ...rotation(config, contextLength, { theta: 1e6 }),
    kvHeads: config.kvHeads ?? 8,
    tied: config.tieWordEmbeddings ?? true,
    names: {
      ...LLAMA_NAMES,
      finalNorm: "model.embedding_norm",
      output: "self_attn.out_proj",
      up: ["feed_forward.w1", "feed_forward.w3"],
      down: "feed_forward.w2",
      queryNorm: "self_attn.q_layernorm",
      keyNorm: "self_attn.k_layernorm",
    },
    norms: { attention: "operator_norm", mlp: "ffn_norm" },
    queryKeyNorm: "head",
    qkvBias: false,
    outputBias: false,
    mlpBias: false,
  });
  const hasAttention = (layer: number) => (config.layerTypes ? config.layerTypes[layer] === "full_attention" : (config.fullAttnIdxs?.includes(layer) ?? true));
  const layers = spec.layers.map((layer, index): LayerSpec => (hasAttention(index) ? layer : { ...layer, attention: undefined, recurrent: shortConv(config, index) }));
  return { ...spec, layers };
}

function shortConv({ hiddenSize, convCacheLength: taps = 3, convBias = false }: ModelConfig, index: number): ShortConvSpec {
  const name = `model.layers.${index}.conv`;
  const module = (suffix: string, rows: number) => ({ module: `${name}.${suffix}`, rows, bias: convBias });
  return {
    kind: "shortConv",
    channels: hiddenSize,
    taps,
    kernel: `${name}.conv.weight`,
    bias: convBias ? `${name}.conv.bias` : undefined,
    input: stacked(`${name} input`, hiddenSize, [module("in_proj", 3 * hiddenSize)]),
    output: stacked(`${name} output`, hiddenSize, [module("out_proj", hiddenSize)]),
  };
}

/** Two thirds of the stated width, times a factor, rounded up. */
function adjustedWidth({ blockFfnDimMultiplier = 1, blockMultipleOf = 256 }: ModelConfig, width: number): number {
  const scaled = Math.floor(blockFfnDimMultiplier * Math.floor((2 * width) / 3));
  return Math.ceil(scaled / blockMultipleOf) * blockMultipleOf;
}
