import type { ModelConfig } from "../formats/model_config.ts";
import type { AttentionSpec, DecoderSpec, DeltaNetSpec, LayerSpec, LinearSpec, NormSpec } from "../kernels/decoder_spec.ts";
import { rotation } from "./llama.ts";
import { isTurnedKernel, stacked } from "./modules.ts";
import { withSharedExpert } from "./moe.ts";
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
  const complete = { ...spec, layers };
  return { ...complete, savedByMlx: firstRecurrent && { tensor: firstRecurrent.kernel, isRewritten: isTurnedKernel, spec: withoutOffsets(complete) } };
}

/** The same decoder with gains that are stored as they are. */
function withoutOffsets(spec: DecoderSpec): DecoderSpec {
  const plain = <T extends NormSpec | undefined>(norm: T): T => norm && { ...norm, gainOffset: 0 };
  const layers = spec.layers.map((layer): LayerSpec => {
    const { attention } = layer;
    const own = attention?.queryKeyNorm;
    const queryKeyNorm = own?.kind === "head" ? { ...own, query: plain(own.query), key: plain(own.key) } : own;
    const attentionNorm = plain(layer.attentionNorm);
    return { ...layer, attentionNorm, mlpNorm: plain(layer.mlpNorm), attention: attention && queryKeyNorm && { ...attention, queryKeyNorm } };
  });
  return { ...spec, layers, finalNorm: plain(spec.finalNorm) };
}

/** Qwen 3.5 with a mixture of experts, and one that every token takes. */
export function qwen3_5Moe(config: ModelConfig, contextLength: number): DecoderSpec {
  return sharing(config, qwen3_5(config, contextLength));
}

/** Qwen 3 Next: the same, with the delta nets' projections in two. */
export function qwen3Next(config: ModelConfig, contextLength: number): DecoderSpec {
  return sharing(config, withFusedInputs(qwen3_5(config, contextLength)));
}

function sharing(config: ModelConfig, spec: DecoderSpec): DecoderSpec {
  const shape = { ...config, normTopkProb: config.normTopkProb ?? true, sharedExpertIntermediateSize: config.sharedExpertIntermediateSize ?? 512 };
  const { savedByMlx } = spec;
  return { ...withSharedExpert(shape, spec), savedByMlx: savedByMlx && { ...savedByMlx, spec: withSharedExpert(shape, savedByMlx.spec) } };
}

function withFusedInputs(spec: DecoderSpec): DecoderSpec {
  const { savedByMlx } = spec;
  const layers = spec.layers.map((layer): LayerSpec => {
    const { recurrent } = layer;
    return recurrent?.kind === "deltaNet" ? { ...layer, recurrent: { ...recurrent, input: fusedInput(recurrent) } } : layer;
  });
  return { ...spec, layers, savedByMlx: savedByMlx && { ...savedByMlx, spec: withFusedInputs(savedByMlx.spec) } };
}

/** Rows come key head by key head: its query, its key, the values of its value heads, their gates; in a second module b, then a, of each. */
function fusedInput({ keyHeads, valueHeads, keyDim, valueDim, channels, input, kernel }: DeltaNetSpec): LinearSpec {
  const name = kernel.slice(0, kernel.indexOf(".conv1d"));
  const sharing = valueHeads / keyHeads;
  const valueStart = 2 * keyHeads * keyDim;
  const tailStart = channels + valueHeads * valueDim;
  const module = (suffix: string, pieces: (head: number) => { rows: number; to: number }[]) => {
    let from = 0;
    const moves = Array.from({ length: keyHeads }, (_, head) => pieces(head)).flat().map(({ rows, to }) => ({ from: (from += rows) - rows, rows, to, stride: 1 }));
    return { module: `${name}.${suffix}`, rows: from, bias: false, isTransposed: false, moves };
  };
  const values = sharing * valueDim;
  return {
    ...input,
    sources: [
      module("in_proj_qkvz", (head) => [
        { rows: keyDim, to: head * keyDim },
        { rows: keyDim, to: (keyHeads + head) * keyDim },
        { rows: values, to: valueStart + head * values },
        { rows: values, to: channels + head * values },
      ]),
      module("in_proj_ba", (head) => [
        { rows: sharing, to: tailStart + head * sharing },
        { rows: sharing, to: tailStart + valueHeads + head * sharing },
      ]),
    ],
  };
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
