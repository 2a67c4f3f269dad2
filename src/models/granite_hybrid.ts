import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, MambaSpec, MlpSpec, MoeSpec } from "../kernels/decoder_spec.ts";
import { graniteTraits } from "./granite.ts";
import { mamba } from "./mamba.ts";
import { interleaved, stacked } from "./modules.ts";
import { halvesInTurn, stackedExperts } from "./moe.ts";
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
    return isMamba(index) ? { ...layer, mlp, moe, attention: undefined, recurrent: granitesMamba(config, name) } : { ...layer, mlp, moe };
  });
  return { ...spec, layers };
}

function granitesMamba(config: ModelConfig, name: string): MambaSpec {
  const { hiddenSize, mambaExpand = 2, mambaHeads = 128, mambaStateDim = 256 } = config;
  const spec = mamba({ ...config, mambaHeads, mambaStateDim }, `${name}.mamba`, mambaExpand * hiddenSize);
  return { ...spec, norm: { kind: "rms", module: `${name}.mamba.norm`, epsilon: config.rmsNormEps ?? 1e-6, gainOffset: 0, bias: false } };
}

/** MLX splits the fused MLP of models without experts, and renames it, when it saves them. */
function renamed(mlp: MlpSpec, name: string, hiddenSize: number, width: number, hasExperts: boolean): MlpSpec {
  if (hasExperts) return mlp;
  const module = (suffix: string, rows: number) => ({ module: `${name}.mlp.${suffix}`, rows, bias: false });
  const up = interleaved(mlp.up.label, hiddenSize, [module("gate_proj", width), module("up_proj", width)]);
  const down = stacked(mlp.down.label, width, [module("down_proj", hiddenSize)]);
  return { ...mlp, up: { ...mlp.up, spellings: [up.sources] }, down: { ...mlp.down, spellings: [down.sources] } };
}

/** Granite 3 with a mixture of experts in every layer. */
export function graniteMoe(config: ModelConfig, contextLength: number): DecoderSpec {
  const spec = buildDecoder(config, graniteTraits(config, contextLength));
  return { ...spec, layers: spec.layers.map((layer, index) => ({ ...layer, mlp: undefined, moe: experts(config, `model.layers.${index}`) })) };
}

function experts({ hiddenSize, intermediateSize: width, experts: count = 0, expertsPerToken: chosen = 0 }: ModelConfig, layerName: string): MoeSpec {
  const name = `${layerName}.block_sparse_moe`;
  const module = (suffix: string, rows: number) => ({ module: `${name}.${suffix}`, rows, bias: false, isTransposed: false });
  const moves = halvesInTurn(count, width);
  const rows = count * 2 * width;
  const together = stackedExperts(`${name}.switch_mlp`, count, width, hiddenSize);
  return {
    experts: count,
    chosen,
    intermediateSize: width,
    activation: "silu",
    gatesMlp: false,
    router: stacked(`${name} router`, hiddenSize, [module("router.layer", count)]),
    routing: { kind: "softmax", isNormalised: true, scale: 1 }, // a softmax over the chosen alone
    up: { label: `${name} up`, rows, columns: hiddenSize, unit: 2 * width, sources: [{ ...module("input_linear", rows), moves }], spellings: [together.up] },
    down: { ...stacked(`${name} down`, width, [module("output_linear", count * hiddenSize)]), unit: hiddenSize, spellings: [together.down] },
  };
}
