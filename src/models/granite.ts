import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { NO_ROPE, ropeSpec } from "./rope.ts";
import { buildDecoder, llamaTraits, ropeShape, type Traits } from "./traits.ts";

/** What all Granites share: Llama with a factor in four places. */
export function graniteTraits(config: ModelConfig, contextLength: number): Traits {
  return {
    ...llamaTraits(config, contextLength),
    scale: config.attentionMultiplier ?? 1,
    embeddingScale: config.embeddingMultiplier ?? 1,
    residualScale: config.residualMultiplier ?? 1,
    logitScale: 1 / (config.logitsScaling ?? 1),
  };
}

/** Granite 3. */
export function granite(config: ModelConfig, contextLength: number): DecoderSpec {
  return buildDecoder(config, graniteTraits(config, contextLength));
}

/** Granite with windows and attention sinks, and a rope base for each layer. */
export function graniteSwa(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = graniteTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength);
  const shape = ropeShape(config, traits.headDim, contextLength);
  const thetas = config.layerRopeTheta ?? Array.from({ length: config.layers }, () => config.rope.theta ?? 1e4);
  const ropes = new Map([...new Set(thetas)].map((theta) => [theta, theta === 0 ? NO_ROPE : ropeSpec({ ...config.rope, theta }, theta, shape)]));
  return buildDecoder(config, {
    ...traits,
    tied: config.tieWordEmbeddings ?? true,
    hasSinks: true,
    rope: (layer) => ropes.get(thetas[layer]) ?? NO_ROPE,
    window: (layer) => (config.layerTypes?.[layer] === "sliding_attention" ? (config.slidingWindow ?? 128) : 0),
  });
}
