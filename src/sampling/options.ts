/** How the next token is chosen from the logits. Absent fields take the defaults below. */
export interface SamplingOptions {
  /** 0 picks the most likely token; higher is more varied. Range 0 to 5. Default 0. */
  temperature?: number;
  /** Keep the k most likely tokens; 0 keeps all. Default 0. */
  topK?: number;
  /** Keep the smallest set of tokens whose probability reaches this sum. Range (0, 1]. Default 1. */
  topP?: number;
  /** Drop tokens less likely than this fraction of the most likely one. Range [0, 1]. Default 0. */
  minP?: number;
  /** Divide (or multiply, when negative) the logit of every token seen in prompt or answer. Above 0; default 1 (off). */
  repetitionPenalty?: number;
  /** Subtract from the logit of every token seen in the answer. Range -2 to 2; default 0. */
  presencePenalty?: number;
  /** Subtract, times the count, from the logit of every token seen in the answer. Range -2 to 2; default 0. */
  frequencyPenalty?: number;
  /** The same seed, prompt and options give the same text. A 32-bit unsigned integer. Default: random. */
  seed?: number;
}

/** Sampling options with every default filled in. */
export type ResolvedSampling = Required<SamplingOptions>;
