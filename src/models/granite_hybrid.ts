import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, LinearSpec, MambaSpec, MlpSpec, MoeSpec } from "../kernels/decoder_spec.ts";
import { graniteTraits } from "./granite.ts";
import { interleaved, stacked } from "./modules.ts";
import { stackedExperts } from "./moe.ts";
import { NO_ROPE } from "./rope.ts";
import { buildDecoder } from "./traits.ts";

/** Granite 4: Mamba-2 in most layers, attention in the others; an MLP in each, beside a mixture of experts in some models. */
export function graniteHybrid(config: ModelConfig, contextLength: number): DecoderSpec {
  const traits = graniteTraits(config, contextLength);
  const sharedWidth = config.sharedIntermediateSize ?? 1024;
  const spec = buildDecoder({ ...config, intermediateSize: sharedWidth }, {
    ...traits,
    names: { ...traits.names, up: ["shared_mlp.input_linear"], down: "shared_mlp.output_linear" },
    rope: config.positionEmbeddingType === "rope" ? traits.rope : () => NO_ROPE,
  });
  const isMamba = (layer: number) => !/attention/.test(config.layerTypes?.[layer] ?? "mamba") || config.layerTypes?.[layer] === "linear_attention";
  const layers = spec.layers.map((layer, index): LayerSpec => {
    const name = `model.layers.${index}`;
    const moe = config.experts ? experts(config, name) : undefined;
    const mlp = layer.mlp && renamed(layer.mlp, name, config.hiddenSize, sharedWidth, moe !== undefined);
    return isMamba(index) ? { ...layer, mlp, moe, attention: undefined, recurrent: mamba(config, name) } : { ...layer, mlp, moe };
  });
  return { ...spec, layers };
}

/** MLX splits the fused MLP of models without experts, and renames it, when it saves them. */
function renamed(mlp: MlpSpec, name: string, hiddenSize: number, width: number, hasExperts: boolean): MlpSpec {
  if (hasExperts) return mlp;
  const module = (suffix: string, rows: number) => ({ module: `${name}.mlp.${suffix}`, rows, bias: false });
  const up = interleaved(mlp.up.label, hiddenSize, [module("gate_proj", width), module("up_proj", width)]);
  const down = stacked(mlp.down.label, width, [module("down_proj", hiddenSize)]);
  return { ...mlp, up: { ...mlp.up, savedByMlx: up.sources }, down: { ...mlp.down, savedByMlx: down.sources } };
}

function mamba(config: ModelConfig, layerName: string): MambaSpec {
  const { hiddenSize, mambaExpand = 2, mambaHeads: heads = 128, mambaGroups: groups = 1, mambaStateDim: stateDim = 256 } = config;
  const name = `${layerName}.mamba`;
  const inner = mambaExpand * hiddenSize;
  const channels = inner + 2 * groups * stateDim;
  const projection = { module: `${name}.in_proj`, rows: inner + channels + heads, bias: config.mambaProjBias ?? false, isTransposed: false };
  const input: LinearSpec = {
    label: `${name} input`,
    rows: projection.rows,
    columns: hiddenSize,
    // The checkpoint has the gates first; what is convolved leads here.
    sources: [{ ...projection, moves: [
      { from: 0, rows: inner, to: channels, stride: 1 },
      { from: inner, rows: channels, to: 0, stride: 1 },
      { from: inner + channels, rows: heads, to: channels + inner, stride: 1 },
    ] }],
  };
  return {
    kind: "mamba",
    heads,
    headDim: inner / heads,
    groups,
    stateDim,
    channels,
    taps: config.mambaTaps ?? 4,
    kernel: `${name}.conv1d.weight`,
    bias: (config.mambaConvBias ?? true) ? `${name}.conv1d.bias` : undefined,
    decay: `${name}.A_log`,
    paceBias: `${name}.dt_bias`,
    skip: `${name}.D`,
    norm: { kind: "rms", module: `${name}.norm`, epsilon: config.rmsNormEps ?? 1e-6, gainOffset: 0, bias: false },
    input,
    output: stacked(`${name} output`, inner, [{ module: `${name}.out_proj`, rows: hiddenSize, bias: config.mambaProjBias ?? false }]),
  };
}

function experts({ hiddenSize, intermediateSize: width, experts: count = 0, expertsPerToken: chosen = 0 }: ModelConfig, layerName: string): MoeSpec {
  const name = `${layerName}.block_sparse_moe`;
  const module = (suffix: string, rows: number) => ({ module: `${name}.${suffix}`, rows, bias: false, isTransposed: false });
  const moves = Array.from({ length: 2 * count }, (_, i) => {
    const [expert, part] = [Math.floor(i / 2), i % 2];
    return { from: (2 * expert + part) * width, rows: width, to: 2 * expert * width + part, stride: 2 };
  });
  const rows = count * 2 * width;
  const together = stackedExperts(`${name}.switch_mlp`, count, width, hiddenSize);
  return {
    experts: count,
    chosen,
    intermediateSize: width,
    activation: "silu",
    router: stacked(`${name} router`, hiddenSize, [module("router.layer", count)]),
    routing: { kind: "softmax", isNormalised: true, scale: 1 }, // a softmax over the chosen alone
    up: { label: `${name} up`, rows, columns: hiddenSize, unit: 2 * width, sources: [{ ...module("input_linear", rows), moves }], savedByMlx: together.up },
    down: { ...stacked(`${name} down`, width, [module("output_linear", count * hiddenSize)]), unit: hiddenSize, savedByMlx: together.down },
  };
}
