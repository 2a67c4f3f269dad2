import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, LinearSpec, MlpSpec, ModuleSpec, MoeSpec, Routing } from "../kernels/decoder_spec.ts";
import type { RowMove } from "../quant/repack.ts";
import { mistral, rotation } from "./llama.ts";
import { interleaved, stacked } from "./modules.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { activationOf, buildDecoder, llamaTraits } from "./traits.ts";

/** Names of experts' modules, relative to the layer. */
export interface ExpertNames {
  router: string;
  /** Folder of the experts that are modules of their own: the number of an expert follows, then `gate`, `up` or `down`. */
  experts: string;
  gate: string;
  up: string;
  down: string;
  /** Module under which MLX stacks all experts. */
  together: string;
}

/** Describe a layer's experts, each of whose matrices is a module of its own. */
export function expertsOf(config: ModelConfig, layerName: string, names: ExpertNames, routing: Routing): MoeSpec {
  const { hiddenSize, experts = 0, expertsPerToken: chosen = 0, moeIntermediateSize: width = 0 } = config;
  const activation = activationOf(config.hiddenAct ?? "silu");
  if (activation === "xielu") throw new Error("experts have no slopes of their own");
  const module = (name: string, rows: number) => ({ module: `${layerName}.${name}`, rows, bias: false, isTransposed: false });
  const each = Array.from({ length: experts }, (_, expert) => `${names.experts}.${expert}`);
  const up: LinearSpec = {
    label: `${layerName} experts up`,
    rows: experts * 2 * width,
    columns: hiddenSize,
    unit: 2 * width,
    sources: each.flatMap((expert, index) =>
      [names.gate, names.up].map((name, part) => ({ ...module(`${expert}.${name}`, width), moves: [{ from: 0, rows: width, to: index * 2 * width + part, stride: 2 }] }))),
  };
  const down = stacked(`${layerName} experts down`, width, each.map((expert) => module(`${expert}.${names.down}`, hiddenSize)));
  const byMlx = stackedExperts(`${layerName}.${names.together}`, experts, width, hiddenSize);
  const fused = fusedExperts(`${layerName}.${names.experts}`, experts, width, hiddenSize);
  return {
    experts,
    chosen,
    intermediateSize: width,
    activation,
    gatesMlp: false,
    router: stacked(`${layerName} router`, hiddenSize, [module(names.router, experts)]),
    routing,
    up: { ...up, spellings: [byMlx.up, fused.up] },
    down: { ...down, unit: hiddenSize, spellings: [byMlx.down, fused.down] },
  };
}

/** All experts in three tensors `[experts, rows, columns]`, as MLX saves them. */
export function stackedExperts(name: string, experts: number, width: number, hiddenSize: number, bias = false): { up: ModuleSpec[]; down: ModuleSpec[] } {
  const module = (suffix: string, rows: number, moves: ModuleSpec["moves"]) => ({ module: `${name}.${suffix}`, rows, bias, isTransposed: false, moves });
  const inTurn = (part: number) => Array.from({ length: experts }, (_, expert) => ({ from: expert * width, rows: width, to: expert * 2 * width + part, stride: 2 }));
  return {
    up: [module("gate_proj", experts * width, inTurn(0)), module("up_proj", experts * width, inTurn(1))],
    down: [module("down_proj", experts * hiddenSize, wholeStack(experts * hiddenSize))],
  };
}

/** All experts in two tensors, gate above up in each expert, as newer transformers save some models. */
export function fusedExperts(name: string, experts: number, width: number, hiddenSize: number): { up: ModuleSpec[]; down: ModuleSpec[] } {
  const module = (suffix: string, rows: number, moves: ModuleSpec["moves"]) => ({ module: `${name}.${suffix}`, rows, bias: false, isTransposed: false, stack: experts, moves });
  return {
    up: [module("gate_up_proj", experts * 2 * width, halvesInTurn(experts, width))],
    down: [module("down_proj", experts * hiddenSize, wholeStack(experts * hiddenSize))],
  };
}

/** Moves of a stack whose matrices each hold gates above ups: row by row in turn. */
export function halvesInTurn(experts: number, width: number): RowMove[] {
  return Array.from({ length: 2 * experts }, (_, i) => {
    const [expert, part] = [Math.floor(i / 2), i % 2];
    return { from: (2 * expert + part) * width, rows: width, to: 2 * expert * width + part, stride: 2 };
  });
}

function wholeStack(rows: number): RowMove[] {
  return [{ from: 0, rows, to: 0, stride: 1 }];
}

const QWEN_NAMES: ExpertNames = { router: "mlp.gate", experts: "mlp.experts", gate: "gate_proj", up: "up_proj", down: "down_proj", together: "mlp.switch_mlp" };

/** The same decoder with a mixture of experts in place of the MLP of the layers that `isSparse` names. */
export function withExperts(config: ModelConfig, spec: DecoderSpec, names: ExpertNames, routing: Routing, isSparse = (_: number) => true): DecoderSpec {
  const layers = spec.layers.map((layer, index): LayerSpec =>
    isSparse(index) ? { ...layer, mlp: undefined, moe: expertsOf(config, `model.layers.${index}`, names, routing) } : layer);
  return { ...spec, layers };
}

/** Whether a layer of Qwen's has experts. */
function isSparseQwen({ mlpOnlyLayers = [], decoderSparseStep = 1 }: ModelConfig): (layer: number) => boolean {
  return (layer) => !mlpOnlyLayers.includes(layer) && (layer + 1) % decoderSparseStep === 0;
}

/** Experts as in Qwen's models, and beside them one that every token takes, by a gate of its own. */
export function withSharedExpert(config: ModelConfig, spec: DecoderSpec): DecoderSpec {
  const routing: Routing = { kind: "softmax", isNormalised: config.normTopkProb ?? false, scale: 1 };
  const { hiddenSize, sharedExpertIntermediateSize: width = 5632 } = config;
  const isSparse = isSparseQwen(config);
  const layers = withExperts(config, spec, QWEN_NAMES, routing, isSparse).layers.map((layer, index): LayerSpec => {
    const { mlp } = spec.layers[index];
    if (!layer.moe || !mlp) return layer;
    const name = `model.layers.${index}.mlp`;
    const module = (suffix: string, rows: number) => ({ module: `${name}.${suffix}`, rows, bias: false });
    const shared: MlpSpec = {
      ...mlp,
      intermediateSize: width,
      up: interleaved(`${name} shared up`, hiddenSize, [module("shared_expert.gate_proj", width), module("shared_expert.up_proj", width)]),
      down: stacked(`${name} shared down`, width, [module("shared_expert.down_proj", hiddenSize)]),
    };
    const router = stacked(`${name} router`, hiddenSize, [module("gate", layer.moe.experts), module("shared_expert_gate", 1)]);
    return { ...layer, mlp: shared, moe: { ...layer.moe, router, gatesMlp: true } };
  });
  return { ...spec, layers };
}

/** Qwen 3 with a mixture of experts in most layers. */
export function qwen3Moe(config: ModelConfig, contextLength: number): DecoderSpec {
  const spec = qwen3({ ...config, headDim: config.headDim ?? config.hiddenSize / config.heads }, contextLength);
  return withExperts(config, spec, QWEN_NAMES, { kind: "softmax", isNormalised: config.normTopkProb ?? false, scale: 1 }, isSparseQwen(config));
}

/** Qwen 1.5 and 2 with a mixture of experts, and one that every token takes. */
export function qwen2Moe(config: ModelConfig, contextLength: number): DecoderSpec {
  return withSharedExpert(config, qwen2(config, contextLength));
}

/** Mixtral: Mistral whose MLPs are all mixtures; the weights are a softmax over the chosen alone. */
export function mixtral(config: ModelConfig, contextLength: number): DecoderSpec {
  const names: ExpertNames = { router: "block_sparse_moe.gate", experts: "block_sparse_moe.experts", gate: "w1", up: "w3", down: "w2", together: "block_sparse_moe.switch_mlp" };
  const full: ModelConfig = { ...config, slidingWindow: config.slidingWindow ?? null, rmsNormEps: config.rmsNormEps ?? 1e-5, rope: { ...config.rope, theta: config.rope.theta ?? 1e6 } };
  const shape = { ...config, experts: config.experts ?? 8, expertsPerToken: config.expertsPerToken ?? 2, moeIntermediateSize: config.intermediateSize };
  return withExperts(shape, mistral(full, contextLength), names, { kind: "softmax", isNormalised: true, scale: 1 });
}

/** OLMoE: queries and keys normalised over all heads at once, and experts in every layer. */
export function olmoe(config: ModelConfig, contextLength: number): DecoderSpec {
  const spec = buildDecoder(config, { ...llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength), queryKeyNorm: "whole" });
  const shape = { ...config, experts: config.experts ?? 64, expertsPerToken: config.expertsPerToken ?? 8, moeIntermediateSize: config.intermediateSize };
  return withExperts(shape, spec, QWEN_NAMES, { kind: "softmax", isNormalised: config.normTopkProb ?? false, scale: 1 });
}

/** gpt-oss: attention sinks, a window on every other layer, biases throughout, and bounded units in the experts. */
export function gptOss(config: ModelConfig, contextLength: number): DecoderSpec {
  const { hiddenSize, intermediateSize: width, experts = 128, expertsPerToken: chosen = 4 } = config;
  const headDim = config.headDim ?? 64;
  const spec = buildDecoder(config, {
    ...llamaTraits({ ...config, headDim, rmsNormEps: config.rmsNormEps ?? 1e-5, attentionBias: config.attentionBias ?? true }, contextLength),
    ...rotation(config, contextLength, { headDim, theta: 1.5e5 }),
    kvHeads: config.kvHeads ?? 8,
    hasSinks: true,
    window: (layer) => ((config.layerTypes ? config.layerTypes[layer] === "sliding_attention" : layer % 2 === 0) ? (config.slidingWindow ?? 128) : 0),
  });
  const layers = spec.layers.map((layer, index): LayerSpec => {
    const name = `model.layers.${index}.mlp`;
    // Stored as parameters turned round, or as blocks of codes that are not; gates and ups alternate in both.
    const whole = (suffix: string, rows: number) => ({ module: `${name}.experts.${suffix}`, rows, bias: true, isTransposed: true, stack: experts, moves: wholeStack(rows) });
    const blocks = (suffix: string, rows: number) => ({ ...whole(suffix, rows), isTransposed: false, stack: undefined });
    const byMlx = stackedExperts(`${name}.experts`, experts, width, hiddenSize, true);
    const up = { label: `${name} experts up`, rows: experts * 2 * width, columns: hiddenSize, unit: 2 * width };
    const down = { label: `${name} experts down`, rows: experts * hiddenSize, columns: width, unit: hiddenSize };
    const moe: MoeSpec = {
      experts,
      chosen,
      intermediateSize: width,
      activation: "clamped_swiglu",
      gatesMlp: false,
      router: stacked(`${name} router`, hiddenSize, [{ module: `${name}.router`, rows: experts, bias: true }]),
      routing: { kind: "softmax", isNormalised: true, scale: 1 },
      up: { ...up, sources: [whole("gate_up_proj", up.rows)], spellings: [[blocks("gate_up_proj", up.rows)], byMlx.up] },
      down: { ...down, sources: [whole("down_proj", down.rows)], spellings: [[blocks("down_proj", down.rows)], byMlx.down] },
    };
    return { ...layer, mlp: undefined, moe };
  });
  return { ...spec, layers };
}
