import type { ResolvedSampling } from "./options.ts";
import { gumbel } from "./random.ts";

/** The tokens that penalties act on. */
export interface TokenHistory {
  promptIds: Iterable<number>;
  /** How often each token occurs in the answer so far. */
  answerCounts: ReadonlyMap<number, number>;
}

/** Return the logits after the repetition penalty, and then the presence and frequency penalties. */
export function applyPenalties(logits: Float32Array, history: TokenHistory, sampling: ResolvedSampling): Float32Array {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  const penalised = logits.slice();
  for (const id of new Set([...history.promptIds, ...history.answerCounts.keys()])) {
    const logit = penalised[id];
    penalised[id] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
  }
  for (const [id, count] of history.answerCounts) {
    if (count > 0) penalised[id] -= presencePenalty + frequencyPenalty * count;
  }
  return penalised;
}

/**
 * The logit at or above which tokens stay candidates: the strictest of top-k, top-p and min-p.
 *
 * Tokens that tie at the limit all stay, so the candidates do not depend on the order of the vocabulary.
 */
export function candidateThreshold(logits: Float32Array, sampling: ResolvedSampling): number {
  const sorted = logits.slice().sort().reverse();
  if (sampling.temperature === 0) return sorted[0];
  const topK = topKThreshold(sorted, sampling.topK);
  const topP = topPThreshold(sorted.filter((logit) => logit >= topK), sampling);
  const minP = sorted[0] + sampling.temperature * Math.log(sampling.minP);
  return Math.max(topK, topP, minP);
}

function topKThreshold(sorted: Float32Array, topK: number): number {
  return topK === 0 || topK >= sorted.length ? -Infinity : sorted[topK - 1];
}

// `kept` is in falling order. The threshold is the largest logit whose equals and betters hold the wanted mass.
function topPThreshold(kept: Float32Array, { topP, temperature }: ResolvedSampling): number {
  if (topP >= 1) return -Infinity;
  const weights = Float64Array.from(kept, (logit) => Math.exp((logit - kept[0]) / temperature));
  const wanted = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  for (let i = 0; i < kept.length; i++) {
    mass += weights[i];
    if (mass >= wanted) return kept[i];
  }
  return kept[kept.length - 1];
}

/** Choose a token: the most likely at temperature 0, otherwise a draw that depends only on seed, step and logits. */
export function sampleToken(logits: Float32Array, sampling: ResolvedSampling, step: number): number {
  const { temperature, seed } = sampling;
  if (temperature === 0) return argmax(logits.length, (id) => logits[id]);
  const threshold = candidateThreshold(logits, sampling);
  return argmax(logits.length, (id) => (logits[id] >= threshold ? logits[id] / temperature + gumbel(seed, step, id) : -Infinity));
}

// Of equal scores the lowest id wins.
function argmax(count: number, score: (id: number) => number): number {
  let best = 0;
  let bestScore = score(0);
  for (let id = 1; id < count; id++) {
    const candidate = score(id);
    if (candidate > bestScore) {
      best = id;
      bestScore = candidate;
    }
  }
  return best;
}

/** The probability with which `sampleToken` chooses each token, over all seeds. */
export function probabilities(logits: Float32Array, sampling: ResolvedSampling): Float64Array {
  const result = new Float64Array(logits.length);
  if (sampling.temperature === 0) {
    result[sampleToken(logits, sampling, 0)] = 1;
    return result;
  }
  const threshold = candidateThreshold(logits, sampling);
  const largest = logits.reduce((max, logit) => Math.max(max, logit), -Infinity);
  logits.forEach((logit, id) => {
    if (logit >= threshold) result[id] = Math.exp((logit - largest) / sampling.temperature);
  });
  const total = result.reduce((sum, weight) => sum + weight, 0);
  return result.map((weight) => weight / total);
}
