import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { AltupLayerSpec, AltupSpec, DecoderSpec, LayerSpec, LinearSpec, NormSpec } from "../kernels/decoder_spec.ts";
import { rounded, slides } from "./gemma.ts";
import { attentionOf, lastOfKind, ownInput, perLayer, sharedKeyModules } from "./gemma4.ts";
import { stacked } from "./modules.ts";
import { ropeSpec } from "./rope.ts";
import { buildDecoder, llamaTraits, ropeShape } from "./traits.ts";

/** Gemma 3n: several streams of which layers compute with one, a detour beside attention, gates that are cut off, and what Gemma 4 kept of it. */
export function gemma3n(config: ModelConfig, contextLength: number): DecoderSpec {
  if ((config.altupActive ?? 0) !== 0 || config.altupCorrectScale === false) {
    throw new HearthError("unsupported-checkpoint", "config.json: altup_active_idx other than 0, or altup_correct_scale false, is not supported for gemma3n");
  }
  const { layers: count, hiddenSize } = config;
  const headDim = config.headDim ?? 256;
  const slidesAt = (layer: number) => slides(config, layer, 5);
  const shape = ropeShape(config, headDim, contextLength);
  const full = ropeSpec(config.rope, 1e6, shape);
  const sliding = ropeSpec(config.slidingRope ?? { type: "default" }, 1e4, shape);
  const norm: Omit<NormSpec, "module"> = { kind: "rms", epsilon: config.rmsNormEps ?? 1e-6, gainOffset: 0, bias: false };
  const withWidth = (intermediateSize: number) => buildDecoder({ ...config, intermediateSize }, {
    ...llamaTraits({ ...config, headDim, hiddenAct: "gelu_pytorch_tanh" }, contextLength),
    tied: config.tieWordEmbeddings ?? true,
    kvHeads: config.kvHeads ?? 2,
    norm,
    norms: { attention: "input_layernorm", attentionPost: "post_attention_layernorm", mlp: "pre_feedforward_layernorm", mlpPost: "post_feedforward_layernorm" },
    queryKeyNorm: "head",
    scale: 1,
    rope: (layer) => (slidesAt(layer) ? sliding : full),
    window: (layer) => (slidesAt(layer) ? (config.slidingWindow ?? 512) : 0),
    embeddingScale: rounded(Math.sqrt(hiddenSize), config.dtype),
    logitCap: config.finalLogitSoftcapping === undefined ? 30 : (config.finalLogitSoftcapping ?? 0),
  });
  const widths = config.intermediateSizes ?? Array.from({ length: count }, () => config.intermediateSize);
  const sparsity = config.activationSparsity ?? Array.from({ length: count }, (_, layer) => (count > 10 && layer < 10 ? 0.95 : 0));
  if (widths.length !== count || sparsity.length !== count) {
    throw new HearthError("corrupt-checkpoint", `config.json: expected intermediate_size and activation_sparsity_pattern of ${count} layers, found ${widths.length} and ${sparsity.length}`);
  }
  const specs = new Map([...new Set(widths)].map((width) => [width, withWidth(width)]));
  const base = specs.get(widths[0])!;
  const own = count - (config.kvSharedLayers ?? 15);
  const layers = base.layers.map((_, index): LayerSpec => {
    const layer = specs.get(widths[index])!.layers[index];
    const name = `model.layers.${index}`;
    const source = index < own ? undefined : lastOfKind(own, (earlier) => slidesAt(earlier) === slidesAt(index));
    return {
      ...layer,
      attention: layer.attention && attentionOf(config, layer.attention, name, source, true),
      mlp: layer.mlp && (sparsity[index] > 0 ? { ...layer.mlp, cutoff: normalQuantile(sparsity[index]) } : layer.mlp),
      residualScales: { ...layer.residualScales, attention: Math.SQRT1_2 }, // the sum of stream, attention and detour is divided by the root of two
      altup: altupLayer(config, name, norm),
      ...ownInput(config, layer, name),
    };
  });
  return { ...base, layers, unread: sharedKeyModules(own, count), perLayer: perLayer(config), altup: altup(config) };
}

function altup({ hiddenSize, altupStreams: streams = 4 }: ModelConfig): AltupSpec {
  const square = (name: string): LinearSpec[] => Array.from({ length: streams - 1 }, (_, i) => stacked(`${name} ${i}`, hiddenSize, [{ module: `model.${name}.${i}`, rows: hiddenSize, bias: false }]));
  return { streams, projections: square("altup_projections"), unembeddings: square("altup_unembed_projections") };
}

function altupLayer({ hiddenSize, altupStreams: streams = 4, laurelRank: rank = 64 }: ModelConfig, name: string, norm: Omit<NormSpec, "module">): AltupLayerSpec {
  const linear = (suffix: string, rows: number, columns: number) => stacked(`${name}.${suffix}`, columns, [{ module: `${name}.${suffix}`, rows, bias: false }]);
  return {
    norm: { ...norm, module: `${name}.altup.router_norm` },
    router: linear("altup.modality_router", streams, hiddenSize),
    prediction: `${name}.altup.prediction_coefs.weight`,
    correction: `${name}.altup.correction_coefs.weight`,
    outputScale: `${name}.altup.correct_output_scale`,
    laurel: {
      left: linear("laurel.linear_left", rank, hiddenSize),
      right: linear("laurel.linear_right", hiddenSize, rank),
      norm: { ...norm, module: `${name}.laurel.post_laurel_norm` },
    },
  };
}

/** Standard deviations above the mean below which a share of a normal distribution lies, by Newton's method. */
export function normalQuantile(share: number): number {
  const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  // The distribution function as a series in x, x^3 / 3, x^5 / 15, ... (Abramowitz and Stegun 26.2.11).
  const distribution = (x: number) => {
    let term = x;
    let sum = x;
    for (let n = 3; Math.abs(term) > 1e-17 && n < 500; n += 2) sum += term *= (x * x) / n;
    return 0.5 + density(x) * sum;
  };
  let x = 0;
  for (let step = 0; step < 50; step++) x -= Math.max(-1, Math.min(1, (distribution(x) - share) / density(x)));
  return x;
}
