/** A group of weights as MLX quantises it, in f32. */
export interface QuantisedGroup {
  scale: number;
  bias: number;
  codes: number[];
}

/** Quantise a group of weights to `bits` bits, every step rounded to f32. */
export function quantiseGroup(weights: readonly number[], bits: number): QuantisedGroup {
  const steps = 2 ** bits - 1;
  const largest = Math.max(...weights);
  const smallest = Math.min(...weights);
  const step = Math.max(Math.fround(Math.fround(largest - smallest) / steps), Math.fround(1e-7));
  const isLow = Math.abs(smallest) > Math.abs(largest);
  const edge = isLow ? smallest : largest;
  let scale = isLow ? step : -step;
  let bias = 0;
  const codeOfZero = roundHalfToEven(Math.fround(edge / scale));
  if (codeOfZero !== 0) {
    scale = Math.fround(edge / codeOfZero);
    bias = edge;
  }
  const codes = weights.map((weight) => Math.min(steps, Math.max(0, roundHalfToEven(Math.fround(Math.fround(weight - bias) / scale)))));
  return { scale, bias, codes };
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
