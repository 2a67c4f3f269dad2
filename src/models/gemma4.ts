import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { AttentionSpec, DecoderSpec, LayerSpec, LinearSpec, ModuleSpec, MoeSpec, NormSpec, PerLayerSpec } from "../kernels/decoder_spec.ts";
import { rounded, slides } from "./gemma.ts";
import { stacked } from "./modules.ts";
import { expertsOf, fusedExperts } from "./moe.ts";
import { ropeSpec } from "./rope.ts";
import { buildDecoder, llamaTraits, ropeShape, type Traits } from "./traits.ts";

/** Gemma 4: heads of two sizes, inputs of every layer's own, last layers that see the keys of earlier ones, and in one model experts beside every MLP. */
export function gemma4(config: ModelConfig, contextLength: number): DecoderSpec {
  if (config.useBidirectionalAttention) throw new HearthError("unsupported-checkpoint", "config.json: use_bidirectional_attention: Hearth runs decoders, and this model is an encoder");
  const slidesAt = (layer: number) => layer < config.layers - 1 && slides(config, layer, 6); // the last layer always sees everything
  const build = (isSliding: boolean, isWide: boolean) => kindOf(config, contextLength, isSliding, isWide);
  const own = config.layers - (config.kvSharedLayers ?? 0);
  const doubles = config.useDoubleWideMlp ?? false;
  const kinds = new Map([[true, [build(true, false), build(true, true)]], [false, [build(false, false), build(false, true)]]]);
  const base = build(true, false);
  const layers = base.layers.map((_, index): LayerSpec => {
    const isSliding = slidesAt(index);
    const layer = kinds.get(isSliding)![doubles && index >= own ? 1 : 0].layers[index];
    const name = `model.layers.${index}`;
    const source = index < own ? undefined : lastOfKind(own, (earlier) => slidesAt(earlier) === isSliding);
    const attention = layer.attention && attentionOf(config, layer.attention, name, source, isSliding);
    const moe = config.hasMoeBlock ? expertsBeside(config, layer, name) : undefined;
    return { ...layer, attention, moe, scalar: `${name}.layer_scalar`, ...ownInput(config, layer, name) };
  });
  return { ...base, layers, unread: sharedKeyModules(own, config.layers), perLayer: perLayer(config) };
}

/** All layers as if they were of one kind. */
function kindOf(config: ModelConfig, contextLength: number, isSliding: boolean, isWide: boolean): DecoderSpec {
  const headDim = isSliding ? (config.headDim ?? 256) : (config.globalHeadDim ?? 512);
  const shape = ropeShape(config, headDim, contextLength);
  const full = config.rope.type === "default" && config.rope.theta === undefined ? { type: "proportional", partialRotaryFactor: 0.25 } : config.rope;
  const rope = isSliding ? ropeSpec(config.slidingRope ?? { type: "default" }, 1e4, shape) : ropeSpec(full, 1e6, shape);
  const kvHeads = config.kvHeads ?? 4;
  const traits: Traits = {
    ...llamaTraits({ ...config, headDim, hiddenAct: "gelu_pytorch_tanh", rope: { type: "default" } }, contextLength),
    tied: config.tieWordEmbeddings ?? true,
    kvHeads: isSliding || !config.keysAreValues ? kvHeads : (config.globalKvHeads ?? kvHeads),
    norms: {
      attention: "input_layernorm",
      attentionPost: "post_attention_layernorm",
      mlp: "pre_feedforward_layernorm",
      mlpPost: "post_feedforward_layernorm",
    },
    queryKeyNorm: "head",
    scale: 1,
    rope: () => rope,
    window: () => (isSliding ? (config.slidingWindow ?? 512) : 0),
    embeddingScale: rounded(Math.sqrt(config.hiddenSize), config.dtype),
    logitCap: config.finalLogitSoftcapping ?? 0,
  };
  return buildDecoder({ ...config, intermediateSize: config.intermediateSize * (isWide ? 2 : 1) }, traits);
}

/** Modules of keys and values that layers from `own` on see from earlier ones; some checkpoints hold them all the same. */
export function sharedKeyModules(own: number, layers: number): string[] {
  const shared = Array.from({ length: layers - own }, (_, i) => `model.layers.${own + i}.self_attn`);
  return shared.flatMap((name) => ["k_proj", "v_proj", "k_norm"].map((suffix) => `${name}.${suffix}`));
}

/** The last layer before `end` that is alike. */
export function lastOfKind(end: number, isAlike: (layer: number) => boolean): number {
  const found = Array.from({ length: end }, (_, layer) => layer).findLast(isAlike);
  if (found === undefined) throw new HearthError("corrupt-checkpoint", "config.json: num_kv_shared_layers: a layer shares the keys of an earlier one of its type, and there is none");
  return found;
}

/** Values are normalised; they may be the keys before their norm; and a layer that sees another's has neither. */
export function attentionOf(config: ModelConfig, attention: AttentionSpec, name: string, kvSource: number | undefined, isSliding: boolean): AttentionSpec {
  const { heads, kvHeads, headDim } = attention;
  const { hiddenSize } = config;
  const query = { module: `${name}.self_attn.q_proj`, rows: heads * headDim, bias: config.attentionBias ?? false };
  if (kvSource !== undefined) return { ...attention, kvSource, qkv: stacked(`${name} queries`, hiddenSize, [query]) };
  const valueNorm = config.rmsNormEps ?? 1e-6;
  if (!config.keysAreValues || isSliding) return { ...attention, valueNorm };
  const rows = kvHeads * headDim;
  const { sources: [queries], ...qkv } = stacked(`${name} qkv`, hiddenSize, [query, { ...query, rows: 2 * rows }]);
  const moves = [0, 1].map((part) => ({ from: 0, rows, to: heads * headDim + part * rows, stride: 1 }));
  return { ...attention, valueNorm, qkv: { ...qkv, sources: [queries, { module: `${name}.self_attn.k_proj`, rows, bias: query.bias, isTransposed: false, moves }] } };
}

/** Experts that read the stream beside the MLP, with norms of their own. */
function expertsBeside(config: ModelConfig, { mlpPostNorm }: LayerSpec, name: string): MoeSpec {
  const names = { router: "router.proj", experts: "experts", gate: "gate_proj", up: "up_proj", down: "down_proj", together: "experts.switch_glu" };
  const factors = `${name}.router.per_expert_scale`;
  const moe = expertsOf({ ...config, hiddenAct: "gelu_pytorch_tanh" }, name, names, { kind: "softmax", isNormalised: true, scale: 1, factors });
  const fused = fusedExperts(`${name}.experts`, moe.experts, moe.intermediateSize, config.hiddenSize);
  const norm = (module: string): NormSpec => ({ ...mlpPostNorm!, module: `${name}.${module}` }); // which every layer of Gemma's has
  return {
    ...moe,
    norms: {
      router: { ...norm("router"), gains: "scale" },
      experts: norm("pre_feedforward_layernorm_2"),
      mlpPost: norm("post_feedforward_layernorm_1"),
      expertsPost: norm("post_feedforward_layernorm_2"),
    },
    up: withFirst(fused.up, moe.up),
    down: withFirst(fused.down, moe.down),
  };
}

/** The same matrix, looked for under these names before all others. */
function withFirst(sources: readonly ModuleSpec[], linear: LinearSpec): LinearSpec {
  return { ...linear, sources, spellings: [linear.sources, ...(linear.spellings ?? [])] };
}

/** The branch that takes a layer's own input. */
export function ownInput({ hiddenSize, perLayerInputSize: width = 256 }: ModelConfig, layer: LayerSpec, name: string): Pick<LayerSpec, "ownInput"> {
  if (width === 0 || !layer.mlpPostNorm) return {};
  return {
    ownInput: {
      gate: stacked(`${name} own input gate`, hiddenSize, [{ module: `${name}.per_layer_input_gate`, rows: width, bias: false }]),
      projection: stacked(`${name} own input`, width, [{ module: `${name}.per_layer_projection`, rows: hiddenSize, bias: false }]),
      norm: { ...layer.mlpPostNorm, module: `${name}.post_per_layer_input_norm` },
    },
  };
}

/** What makes the layers' own inputs. */
export function perLayer({ hiddenSize, layers, perLayerInputSize: width = 256, perLayerVocabSize, dtype, rmsNormEps = 1e-6 }: ModelConfig): PerLayerSpec | undefined {
  if (width === 0) return undefined;
  return {
    width,
    embedding: "model.embed_tokens_per_layer",
    rows: perLayerVocabSize ?? 262_144,
    embeddingScale: rounded(Math.sqrt(width), dtype) * Math.SQRT1_2,
    projection: stacked("projection of layers", hiddenSize, [{ module: "model.per_layer_model_projection", rows: layers * width, bias: false }]),
    // The projection is divided by the root of the hidden size first, which its norm undoes but for the epsilon.
    norm: { kind: "rms", module: "model.per_layer_projection_norm", epsilon: rmsNormEps * hiddenSize, gainOffset: 0, bias: false },
    projectionScale: Math.SQRT1_2,
  };
}
