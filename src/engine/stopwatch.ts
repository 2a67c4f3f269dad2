import type { GenerationTiming } from "./options.ts";

/** Times one answer as the worker sees it. */
export class Stopwatch {
  readonly #started = performance.now();
  #first = 0;
  #last = 0;
  tokens = 0;

  /** Note that tokens have become known. */
  count(tokens: number): void {
    this.#last = performance.now();
    if (this.tokens === 0) this.#first = this.#last;
    this.tokens += tokens;
  }

  /** The facts, given how many prompt tokens were computed. */
  timing(prefilledTokens: number): GenerationTiming {
    const timeToFirstTokenMs = this.#first - this.#started;
    const decodeMs = this.#last - this.#first;
    return {
      timeToFirstTokenMs,
      prefillTokensPerSecond: prefilledTokens / (timeToFirstTokenMs / 1000),
      decodeTokensPerSecond: decodeMs > 0 ? (this.tokens - 1) / (decodeMs / 1000) : 0,
      totalMs: performance.now() - this.#started,
    };
  }
}
