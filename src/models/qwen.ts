import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { buildDecoder, llamaTraits } from "./traits.ts";

/** The window of a Qwen layer: layer_types decide where they are given, max_window_layers elsewhere. */
function qwenWindow(config: ModelConfig): (layer: number) => number {
  const { slidingWindow, useSlidingWindow = false, maxWindowLayers = 28, layerTypes } = config;
  const window = useSlidingWindow ? (slidingWindow ?? 4096) : 0;
  return (layer) => {
    const slides = layerTypes ? layerTypes[layer] === "sliding_attention" : layer >= maxWindowLayers;
    return slides ? window : 0;
  };
}

/** Qwen 2 and 2.5: Llama with biases on queries, keys and values. */
export function qwen2(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...llamaTraits(config, contextLength),
    kvHeads: config.kvHeads ?? 32,
    qkvBias: true,
    outputBias: false,
    mlpBias: false,
    window: qwenWindow(config),
  });
}

/** Qwen 3: Llama with per-head norms of queries and keys, and heads of a size of their own. */
export function qwen3(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, {
    ...llamaTraits({ ...config, headDim: config.headDim ?? 128 }, contextLength),
    kvHeads: config.kvHeads ?? 32,
    mlpBias: false,
    queryKeyNorm: "head",
    window: qwenWindow(config),
  });
}
