// The shapes that all runtimes are measured at: those of Hearth's synthetic models, and that of the bundled one.

/** Every shape by name. `hearth` is what Hearth calls it; `headNorms` says whether queries and keys are normalised. */
export const SHAPES = {
  "llama-3.2-1b": { hearth: "synthetic:llama-3.2-1b", modelType: "llama", hiddenSize: 2048, intermediateSize: 8192, layers: 16, heads: 32, kvHeads: 8, headDim: 64, vocabSize: 128_256, headNorms: false },
  "qwen3-0.6b": { hearth: "synthetic:qwen3-0.6b", modelType: "qwen3", hiddenSize: 1024, intermediateSize: 3072, layers: 28, heads: 16, kvHeads: 8, headDim: 128, vocabSize: 151_936, headNorms: true },
  "hearth-tiny": { hearth: "./models/hearth-tiny/", modelType: "qwen3", hiddenSize: 384, intermediateSize: 1024, layers: 8, heads: 6, kvHeads: 2, headDim: 64, vocabSize: 7168, contextLength: 1024, headNorms: true },
};

export const CONTEXT_LENGTH = 2048;
export const EPSILON = 1e-6;
export const ROPE_THETA = 500_000;
