import type { RopeSpec } from "../../src/kernels/rope_spec.ts";

/** How a head is prepared: an RMS norm where there are gains, then the rotation. */
export interface HeadPreparation {
  rope: RopeSpec;
  epsilon: number;
  gains: ArrayLike<number> | undefined;
}

/** Normalise and rotate one head of a token at `position`. */
export function prepareHead(head: Float64Array, position: number, { rope, epsilon, gains }: HeadPreparation): Float64Array {
  const normalised = gains ? normaliseHead(head, gains, epsilon) : head;
  const rotated = normalised.slice();
  const half = rope.rotaryDim / 2;
  for (let pair = 0; pair < half; pair++) {
    const angle = position * rope.inverseFrequencies[pair];
    const [x, y] = [normalised[pair], normalised[pair + half]];
    rotated[pair] = (x * Math.cos(angle) - y * Math.sin(angle)) * rope.attentionFactor;
    rotated[pair + half] = (y * Math.cos(angle) + x * Math.sin(angle)) * rope.attentionFactor;
  }
  return rotated;
}

function normaliseHead(head: Float64Array, gains: ArrayLike<number>, epsilon: number): Float64Array {
  const meanSquare = head.reduce((sum, value) => sum + value * value, 0) / head.length;
  return head.map((value, dim) => (value / Math.sqrt(meanSquare + epsilon)) * gains[dim]);
}

/** What one query head sees of its sequence: the keys and values of positions 0 to its own. */
export interface Visible {
  keys: readonly Float64Array[];
  values: readonly Float64Array[];
  scale: number;
  window: number;
}

/** Softmax attention of a query at the last position over the positions in its window. */
export function attend(query: Float64Array, { keys, values, scale, window }: Visible): Float64Array {
  const first = window > 0 ? Math.max(0, keys.length - window) : 0;
  const scores = keys.slice(first).map((key) => scale * key.reduce((sum, value, dim) => sum + value * query[dim], 0));
  const highest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return query.map((_, dim) => weights.reduce((sum, weight, i) => sum + weight * values[first + i][dim], 0) / total);
}
