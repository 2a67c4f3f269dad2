import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, LinearSpec, ModuleSpec, MoeSpec, Routing } from "../kernels/decoder_spec.ts";
import { stacked } from "./modules.ts";
import { qwen3 } from "./qwen.ts";
import { activationOf } from "./traits.ts";

/** Names of experts' modules, relative to the layer. */
export interface ExpertNames {
  router: string;
  /** Module under which MLX stacks all experts. */
  together: string;
  expert: (expert: number) => { gate: string; up: string; down: string };
}

/** Describe a layer's experts, each of whose matrices is a module of its own. */
export function expertsOf(config: ModelConfig, layerName: string, names: ExpertNames, routing: Routing): MoeSpec {
  const { hiddenSize, experts = 0, expertsPerToken: chosen = 0, moeIntermediateSize: width = 0 } = config;
  const activation = activationOf(config.hiddenAct ?? "silu");
  if (activation === "xielu") throw new Error("experts have no slopes of their own");
  const each = Array.from({ length: experts }, (_, expert) => names.expert(expert));
  const module = (name: string, rows: number) => ({ module: `${layerName}.${name}`, rows, bias: false, isTransposed: false });
  const up: LinearSpec = {
    label: `${layerName} experts up`,
    rows: experts * 2 * width,
    columns: hiddenSize,
    unit: 2 * width,
    sources: each.flatMap(({ gate, up: upName }, expert) =>
      [gate, upName].map((name, part) => ({ ...module(name, width), moves: [{ from: 0, rows: width, to: expert * 2 * width + part, stride: 2 }] }))),
  };
  const down = stacked(`${layerName} experts down`, width, each.map((one) => module(one.down, hiddenSize)));
  const together = stackedExperts(`${layerName}.${names.together}`, experts, width, hiddenSize);
  return {
    experts,
    chosen,
    intermediateSize: width,
    activation,
    router: stacked(`${layerName} router`, hiddenSize, [module(names.router, experts)]),
    routing,
    up: { ...up, savedByMlx: together.up },
    down: { ...down, unit: hiddenSize, savedByMlx: together.down },
  };
}

/** All experts in three tensors `[experts, rows, columns]`, as MLX saves them. */
export function stackedExperts(name: string, experts: number, width: number, hiddenSize: number): { up: ModuleSpec[]; down: ModuleSpec[] } {
  const module = (suffix: string, rows: number, moves: ModuleSpec["moves"]) => ({ module: `${name}.${suffix}`, rows, bias: false, isTransposed: false, moves });
  const inTurn = (part: number) => Array.from({ length: experts }, (_, expert) => ({ from: expert * width, rows: width, to: expert * 2 * width + part, stride: 2 }));
  return {
    up: [module("gate_proj", experts * width, inTurn(0)), module("up_proj", experts * width, inTurn(1))],
    down: [module("down_proj", experts * hiddenSize, [{ from: 0, rows: experts * hiddenSize, to: 0, stride: 1 }])],
  };
}

/** Qwen 3 with a mixture of experts in most layers. */
export function qwen3Moe(config: ModelConfig, contextLength: number): DecoderSpec {
  const { hiddenSize, heads, mlpOnlyLayers = [], decoderSparseStep = 1 } = config;
  const spec = qwen3({ ...config, headDim: config.headDim ?? hiddenSize / heads }, contextLength);
  const routing: Routing = { kind: "softmax", isNormalised: config.normTopkProb ?? false, scale: 1 };
  const names: ExpertNames = {
    router: "mlp.gate",
    together: "mlp.switch_mlp",
    expert: (expert) => ({ gate: `mlp.experts.${expert}.gate_proj`, up: `mlp.experts.${expert}.up_proj`, down: `mlp.experts.${expert}.down_proj` }),
  };
  const isSparse = (layer: number) => !mlpOnlyLayers.includes(layer) && (layer + 1) % decoderSparseStep === 0;
  const layers = spec.layers.map((layer, index): LayerSpec =>
    isSparse(index) ? { ...layer, mlp: undefined, moe: expertsOf(config, `model.layers.${index}`, names, routing) } : layer);
  return { ...spec, layers };
}
