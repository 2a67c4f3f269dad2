/** A decoder as data: what differs between model families, and the checkpoint's own module names. */
export interface DecoderSpec {
  hiddenSize: number;
  vocabSize: number;
  rmsNormEps: number;
  /** Module of the embedding table. */
  embedding: string;
  embeddingScale: number;
  layers: readonly LayerSpec[];
  finalNorm: string;
  /** Module of the output projection; the embedding's name when they are tied. */
  head: string;
  rope: RopeSpec;
}

/** One pre-norm block: h += attention(norm(h)); h += mlp(norm(h)). */
export interface LayerSpec {
  attentionNorm: string;
  attention: AttentionSpec;
  mlpNorm: string;
  mlp: MlpSpec;
}

/** Grouped-query attention. */
export interface AttentionSpec {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Factor of the scores. */
  scale: number;
  /** Positions that a token sees, itself included; 0 when all. */
  window: number;
  /** Per-head RMS norms before the rotation, where the family has them. */
  headNorms: { query: string; key: string } | undefined;
  query: LinearSpec;
  key: LinearSpec;
  value: LinearSpec;
  output: LinearSpec;
}

/** down(silu(gate(x)) * up(x)). */
export interface MlpSpec {
  intermediateSize: number;
  gate: LinearSpec;
  up: LinearSpec;
  down: LinearSpec;
}

/** A linear module `[rows, columns]` of the checkpoint. */
export interface LinearSpec {
  module: string;
  rows: number;
  columns: number;
  bias: boolean;
}

/** How positions rotate queries and keys. */
export interface RopeSpec {
  /** Leading dimensions of a head that are rotated. */
  rotaryDim: number;
  /** Radians per position of each pair of dimensions, `[rotaryDim / 2]`. */
  inverseFrequencies: readonly number[];
  /** Factor of cosine and sine. */
  attentionFactor: number;
}
