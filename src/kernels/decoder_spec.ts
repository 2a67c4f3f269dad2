import type { RowMove } from "../quant/repack.ts";
import type { RopeSpec } from "./rope_spec.ts";

/** A decoder as data: what differs between model families, and the checkpoint's own module names. */
export interface DecoderSpec {
  hiddenSize: number;
  vocabSize: number;
  /** Module of the embedding table. */
  embedding: string;
  embeddingScale: number;
  /** Module of a table of learned positions `[positions, hiddenSize]` that is added to the embedding. */
  positions: { module: string; rows: number } | undefined;
  layers: readonly LayerSpec[];
  /** Inputs of every layer that depend on the token alone, where a family has them. */
  perLayer?: PerLayerSpec;
  /** Streams beside the residual stream, where a family has them. */
  altup?: AltupSpec;
  /** Modules that checkpoints may hold although nothing reads them. */
  unread?: readonly string[];
  /** What a checkpoint that MLX saved needs instead, and how to tell: by the shape of a tensor, if there is one of that name. */
  savedByMlx: { tensor: string; isRewritten: (shape: readonly number[]) => boolean; spec: DecoderSpec } | undefined;
  finalNorm: NormSpec;
  /** Module of the output projection; the embedding's name when they are tied. */
  head: string;
  headBias: boolean;
  /** Factor of the logits. */
  logitScale: number;
  /** Bound that the logits approach, c tanh(x / c); 0 when off. */
  logitCap: number;
}

/**
 * Inputs of layers beside the residual stream: for each layer a vector of `width`, the sum of a row of a table and of a
 * normalised projection of the embedding.
 */
export interface PerLayerSpec {
  width: number;
  /** Module of the table `[rows, layers * width]`, and the factor of its rows. */
  embedding: string;
  rows: number;
  embeddingScale: number;
  projection: LinearSpec;
  /** Of each layer's part of the projection, and the factor of the result. */
  norm: NormSpec;
  projectionScale: number;
}

/**
 * Alternating updates (Baykal et al., "Alternating Updates for Efficient Transformers"): several streams, of which layers
 * compute with the first. The others begin as projections of the embedding, and are projected back at the end.
 */
export interface AltupSpec {
  /** The first included. */
  streams: number;
  projections: readonly LinearSpec[];
  unembeddings: readonly LinearSpec[];
}

/** What a layer does with all streams before and after it computes with the first, and the detour beside its attention. */
export interface AltupLayerSpec {
  /** Of the first stream, before the router. */
  norm: NormSpec;
  /** Rows: one for each stream. */
  router: LinearSpec;
  /** Tensors `[streams * streams, streams]` and `[streams, streams]`. */
  prediction: string;
  correction: string;
  /** Vector `[hiddenSize]`: factors of what the layer's own input meets. */
  outputScale: string;
  /** A low-rank product of the normalised stream, with its own norm (Menghani et al., "LAuReL"). */
  laurel: { left: LinearSpec; right: LinearSpec; norm: NormSpec };
}

/**
 * One block. In sequence: h += attention(norm(h)); h += mlp(norm(h)). In parallel: h += attention(norm(h)) + mlp(norm(h)).
 * A family without a norm before a branch, or with one after it, says so.
 */
export interface LayerSpec {
  isParallel: boolean;
  attentionNorm: NormSpec | undefined;
  /** A layer mixes positions by attention, by a recurrence, or by both side by side; all follow the same norm. */
  attention: AttentionSpec | undefined;
  recurrent: RecurrentSpec | undefined;
  /** Norm of the branch's result before it is added. */
  attentionPostNorm: NormSpec | undefined;
  mlpNorm: NormSpec | undefined;
  /** A layer has an MLP, or experts, or both, whose results are then added. */
  mlp: MlpSpec | undefined;
  moe: MoeSpec | undefined;
  mlpPostNorm: NormSpec | undefined;
  /** Factors of what each branch adds to the residual stream. */
  residualScales: ResidualScales;
  /** A last branch, which takes the layer's own input: h += norm(projection(gelu(gate(h)) * input)). */
  ownInput?: { gate: LinearSpec; projection: LinearSpec; norm: NormSpec };
  /** A stored factor of the whole stream, last of all. */
  scalar?: string;
  altup?: AltupLayerSpec;
}

/** Factors of branches. */
export interface ResidualScales {
  attention: number;
  recurrent: number;
  mlp: number;
}

/** A norm of a vector. */
export interface NormSpec {
  kind: "rms" | "layer";
  module: string;
  /** Name of the gains within the module; "weight" when absent. */
  gains?: string;
  epsilon: number;
  /** Added to the stored gains: 1 where a family stores them around zero. */
  gainOffset: number;
  /** Whether a stored bias is added; layer norms only. */
  bias: boolean;
  /** Equal parts that are normalised each by itself, by their own stretch of the gains; 1 when absent. */
  groups?: number;
}

/** Grouped-query attention. */
export interface AttentionSpec {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Factor of the scores. */
  scale: number;
  /** Bound that the scores approach, c tanh(x / c); 0 when off. */
  scoreCap: number;
  /** Positions that a token sees, itself included; 0 when all. */
  window: number;
  rope: RopeSpec;
  queryKeyNorm: QueryKeyNorm;
  /** Whether the result is multiplied by the sigmoid of gates, which are projected like queries. */
  isGated: boolean;
  /** Vector `[heads]` of logits that take part in every softmax and have no value. */
  sinks: string | undefined;
  /** Epsilon of an RMS norm of every value head, which has no gains. */
  valueNorm?: number;
  /** The earlier layer whose keys and values this one sees instead of its own. */
  kvSource?: number;
  /** Rows: queries, keys, values, then gates where there are any, head by head. */
  qkv: LinearSpec;
  /** Norm of what the output projection reads. */
  outputNorm?: NormSpec;
  output: LinearSpec;
}

/** What a recurrent layer does between its two projections. */
export type RecurrentSpec = ShortConvSpec | DeltaNetSpec | MambaSpec;

/** A gated short convolution over time: of its input's three equal stretches B, C and x, it gives C * conv(B * x). */
export interface ShortConvSpec extends Convolution {
  kind: "shortConv";
}

/** A gated delta net. Rows of its input: queries, keys and values, which are convolved, then gates, then b and a of every value head. */
export interface DeltaNetSpec extends Convolution {
  kind: "deltaNet";
  keyHeads: number;
  valueHeads: number;
  keyDim: number;
  valueDim: number;
  /** Vectors `[valueHeads]`: the logarithm of the pace of forgetting, and what is added to a. */
  decay: string;
  decayBias: string;
  /** Of every head's result, `[valueDim]`. */
  norm: NormSpec;
}

/** A Mamba-2 mixer. Rows of its input: x, B and C, which are convolved, then gates, then the pace of every head. */
export interface MambaSpec extends Convolution {
  kind: "mamba";
  heads: number;
  headDim: number;
  /** Groups of heads that share B and C. */
  groups: number;
  stateDim: number;
  /** Vectors `[heads]`: the logarithm of the pace of forgetting, what is added to the pace, and the share of x that passes by. */
  decay: string;
  paceBias: string;
  skip: string;
  /** Factors of what the input projection gives; all 1 when absent. */
  factors?: MambaFactors;
  /** Of the gated result, or of the result before it is gated. */
  norm: NormSpec | undefined;
  normPrecedesGate: boolean;
}

/** Factors of the parts of a Mamba mixer's input. */
export interface MambaFactors {
  x: number;
  b: number;
  c: number;
  gate: number;
  pace: number;
}

/** A causal convolution over time of single channels, between two projections. */
export interface Convolution {
  channels: number;
  /** Inputs that each result depends on, its own included. */
  taps: number;
  /** Vectors `[channels, taps]` and, where there is one, `[channels]`. */
  kernel: string;
  bias: string | undefined;
  input: LinearSpec;
  output: LinearSpec;
}

/**
 * What is normalised of queries and keys. "head": every head by the same gains `[headDim]`, before the rotation or after
 * it. "parts": all query heads side by side as one vector, cut into as many parts as there are norms, which may be of one
 * module; keys likewise.
 */
export type QueryKeyNorm =
  | { kind: "none" }
  | { kind: "head" | "headAfterRotation"; query: NormSpec; key: NormSpec }
  | { kind: "parts"; query: readonly NormSpec[]; key: readonly NormSpec[] };

/** The functions between the two products of an MLP. */
export type Activation = "silu" | "gelu" | "gelu_tanh" | "relu2";

/** down(f(gateScale gate(x)) * up(x)) when gated, else down(f(up(x))). */
export interface MlpSpec {
  intermediateSize: number;
  activation: Activation | XieluSpec;
  isGated: boolean;
  gateScale: number;
  /** Gates are cut off below their mean plus so many standard deviations, and count from there. */
  cutoff?: number;
  /** Norm of what the last product reads. */
  downNorm?: NormSpec;
  /** Rows when gated: gate 0, up 0, gate 1, up 1, ... */
  up: LinearSpec;
  down: LinearSpec;
}

/** A mixture of gated MLPs of which each token takes a few. */
export interface MoeSpec {
  experts: number;
  chosen: number;
  /** Of one expert. */
  intermediateSize: number;
  activation: Activation | "clamped_swiglu";
  /** Rows: one for each expert, then one whose sigmoid is the factor of the layer's MLP where that is gated. */
  router: LinearSpec;
  gatesMlp: boolean;
  routing: Routing;
  norms?: MoeNormsSpec;
  /** Rows: those of expert 0, gate and up in turn, then of expert 1, ... */
  up: LinearSpec;
  down: LinearSpec;
}

/** Norms of experts that read the residual stream apart from the layer's MLP: of what they and their router read, and of both results before these are added. */
export interface MoeNormsSpec {
  /** Its result is divided by the root of its width. */
  router: NormSpec;
  experts: NormSpec;
  mlpPost: NormSpec;
  expertsPost: NormSpec;
}

/**
 * How a router's logits become weights. "softmax": the weights are multiplied by the vector `factors`, last of all. "sigmoid":
 * experts are chosen after adding the vector `bias`, which the weights ignore.
 */
export type Routing = { isNormalised: boolean; scale: number } & ({ kind: "softmax"; factors?: string } | { kind: "sigmoid"; bias: string | undefined });

/** xIELU (Huang and Schlag), whose slopes the checkpoint stores as scalars. */
export interface XieluSpec {
  kind: "xielu";
  module: string;
}

/** A matrix `[rows, columns]` gathered from rows of one or more modules of the checkpoint. */
export interface LinearSpec {
  label: string;
  rows: number;
  columns: number;
  /** Rows that one binding must show together: those of an expert. */
  unit?: number;
  sources: readonly ModuleSpec[];
  /** The same rows under other names: those that MLX gives them, or another version of transformers. */
  spellings?: readonly (readonly ModuleSpec[])[];
}

/** A linear module `[rows, columns]` of the checkpoint, and where its rows go. */
export interface ModuleSpec {
  module: string;
  rows: number;
  bias: boolean;
  /** Whether it is stored `[columns, rows]`, as GPT-2 does; of a stack, each matrix by itself. */
  isTransposed: boolean;
  /** Of a parameter that is no module: the matrices of its tensor `[stack, rows / stack, columns]`, or `[stack, columns, rows / stack]` when transposed. */
  stack?: number;
  moves: readonly RowMove[];
}
