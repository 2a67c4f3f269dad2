import type { ModelConfig } from "../formats/model_config.ts";
import type { AttentionSpec, DecoderSpec, DeltaNetSpec, LayerSpec, LinearSpec } from "../kernels/decoder_spec.ts";
import { rotation } from "./llama.ts";
import { stacked } from "./modules.ts";
import { buildDecoder, llamaTraits } from "./traits.ts";

/** Qwen 3.5: gated delta nets in three layers of four, gated attention in the fourth; gains stored around zero. */
export function qwen3_5(config: ModelConfig, contextLength: number): DecoderSpec {
  const headDim = config.headDim ?? 256;
  const epsilon = config.rmsNormEps ?? 1e-6;
  const spec = buildDecoder(config, {
    ...llamaTraits({ ...config, headDim }, contextLength),
    ...rotation(config, contextLength, { headDim, partial: 0.25 }),
    kvHeads: config.kvHeads ?? 2,
    norm: { kind: "rms", epsilon, gainOffset: 1, bias: false },
    queryKeyNorm: "head",
    qkvBias: false,
    outputBias: false,
  });
  const interval = config.fullAttentionInterval ?? 4;
  const hasAttention = (layer: number) => (config.layerTypes ? config.layerTypes[layer] === "full_attention" : (layer + 1) % interval === 0);
  const layers = spec.layers.map((layer, index): LayerSpec => {
    if (!hasAttention(index)) return { ...layer, attention: undefined, recurrent: deltaNet(config, index, epsilon) };
    return { ...layer, attention: layer.attention && gated(layer.attention, `model.layers.${index}`, config.hiddenSize) };
  });
  const firstRecurrent = layers.find(({ recurrent }) => recurrent)?.recurrent;
  return { ...spec, layers, offsetAddedIf: firstRecurrent?.kernel };
}

/** Queries come with their gates, head by head. */
function gated(attention: AttentionSpec, name: string, hiddenSize: number): AttentionSpec {
  const { heads, kvHeads, headDim } = attention;
  const gateStart = (heads + 2 * kvHeads) * headDim;
  const moves = Array.from({ length: 2 * heads }, (_, i) => {
    const [head, isGate] = [Math.floor(i / 2), i % 2 === 1];
    return { from: i * headDim, rows: headDim, to: (isGate ? gateStart : 0) + head * headDim, stride: 1 };
  });
  const plain = { bias: false, isTransposed: false };
  const keyOrValue = (suffix: string, part: number) => ({
    module: `${name}.self_attn.${suffix}`, rows: kvHeads * headDim, ...plain,
    moves: [{ from: 0, rows: kvHeads * headDim, to: (heads + part * kvHeads) * headDim, stride: 1 }],
  });
  const qkv: LinearSpec = {
    label: `${name} qkv`,
    rows: gateStart + heads * headDim,
    columns: hiddenSize,
    sources: [{ module: `${name}.self_attn.q_proj`, rows: 2 * heads * headDim, ...plain, moves }, keyOrValue("k_proj", 0), keyOrValue("v_proj", 1)],
  };
  return { ...attention, isGated: true, qkv };
}

function deltaNet(config: ModelConfig, index: number, epsilon: number): DeltaNetSpec {
  const { hiddenSize, linearKeyHeads: keyHeads = 16, linearValueHeads: valueHeads = 32, linearKeyHeadDim: keyDim = 128, linearValueHeadDim: valueDim = 128 } = config;
  const name = `model.layers.${index}.linear_attn`;
  const channels = 2 * keyHeads * keyDim + valueHeads * valueDim;
  const module = (suffix: string, rows: number) => ({ module: `${name}.${suffix}`, rows, bias: false });
  return {
    kind: "deltaNet",
    keyHeads,
    valueHeads,
    keyDim,
    valueDim,
    channels,
    taps: config.linearConvKernelDim ?? 4,
    kernel: `${name}.conv1d.weight`,
    bias: undefined,
    decay: `${name}.A_log`,
    decayBias: `${name}.dt_bias`,
    norm: { kind: "rms", module: `${name}.norm`, epsilon, gainOffset: 0, bias: false },
    input: stacked(`${name} input`, hiddenSize, [
      module("in_proj_qkv", channels), module("in_proj_z", valueHeads * valueDim), module("in_proj_b", valueHeads), module("in_proj_a", valueHeads),
    ]),
    output: stacked(`${name} output`, valueHeads * valueDim, [module("out_proj", hiddenSize)]),
  };
}
