import { HearthError } from "../errors.ts";
import type { RopeConfig } from "../formats/model_config.ts";
import type { RopeSpec } from "../kernels/decoder_spec.ts";

/** What a rotation depends on besides the rope settings themselves. */
export interface RopeShape {
  headDim: number;
  maxPositionEmbeddings: number;
  /** Positions that this session can reach: some scalings depend on the length. */
  contextLength: number;
}

/** Turn rope settings into angular frequencies (Su et al., "RoFormer", and the scalings named below). */
export function ropeSpec(rope: RopeConfig, defaultTheta: number, shape: RopeShape): RopeSpec {
  const rotaryDim = 2 * Math.floor((shape.headDim * (rope.partialRotaryFactor ?? 1)) / 2);
  const theta = rope.theta ?? defaultTheta;
  const plain = frequencies(theta, rotaryDim);
  const factor = rope.factor ?? 1;
  switch (rope.type) {
    case "default":
      return { rotaryDim, inverseFrequencies: plain, attentionFactor: 1 };
    case "linear": // Chen et al., "Extending Context Window via Position Interpolation"
      return { rotaryDim, inverseFrequencies: plain.map((value) => value / factor), attentionFactor: 1 };
    case "dynamic":
      return { rotaryDim, inverseFrequencies: frequencies(ntkTheta(theta, factor, rotaryDim, shape), rotaryDim), attentionFactor: 1 };
    case "llama3":
      return { rotaryDim, inverseFrequencies: plain.map((value) => llama3Frequency(value, rope, shape)), attentionFactor: 1 };
    case "yarn":
      return yarnSpec(rope, theta, rotaryDim, shape);
    default:
      throw new HearthError("unsupported-checkpoint", `config.json: rope type "${rope.type}" is not supported. Hearth knows default, linear, dynamic, llama3 and yarn.`);
  }
}

function frequencies(theta: number, rotaryDim: number): number[] {
  return Array.from({ length: rotaryDim / 2 }, (_, pair) => theta ** ((-2 * pair) / rotaryDim));
}

/** Dynamic NTK scaling: the base grows once the context outgrows the trained length. */
function ntkTheta(theta: number, factor: number, rotaryDim: number, { contextLength, maxPositionEmbeddings }: RopeShape): number {
  const length = Math.max(contextLength, maxPositionEmbeddings);
  return theta * ((factor * length) / maxPositionEmbeddings - (factor - 1)) ** (rotaryDim / (rotaryDim - 2));
}

/** Llama 3.1: long wavelengths are slowed by the factor, short ones kept, those between blended. */
function llama3Frequency(frequency: number, rope: RopeConfig, { maxPositionEmbeddings }: RopeShape): number {
  const { factor = 8, lowFreqFactor = 1, highFreqFactor = 4, originalMaxPosition = maxPositionEmbeddings } = rope;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength > originalMaxPosition / lowFreqFactor) return frequency / factor;
  if (wavelength < originalMaxPosition / highFreqFactor) return frequency;
  const smooth = (originalMaxPosition / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

/** YaRN (Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models"). */
function yarnSpec(rope: RopeConfig, theta: number, rotaryDim: number, { maxPositionEmbeddings }: RopeShape): RopeSpec {
  const { factor = 1, betaFast = 32, betaSlow = 1, truncate = true, originalMaxPosition = maxPositionEmbeddings } = rope;
  const correction = (beta: number) => (rotaryDim * Math.log(originalMaxPosition / (2 * Math.PI * beta))) / (2 * Math.log(theta));
  const [first, last] = truncate ? [Math.floor(correction(betaFast)), Math.ceil(correction(betaSlow))] : [correction(betaFast), correction(betaSlow)];
  const low = Math.max(first, 0);
  const high = Math.min(last, rotaryDim - 1);
  const inverseFrequencies = frequencies(theta, rotaryDim).map((frequency, pair) => {
    const ramp = Math.min(1, Math.max(0, (pair - low) / (high === low ? 0.001 : high - low)));
    return (frequency / factor) * ramp + frequency * (1 - ramp);
  });
  return { rotaryDim, inverseFrequencies, attentionFactor: yarnAttentionFactor(rope, factor) };
}

function yarnAttentionFactor({ attentionFactor, mscale, mscaleAllDim }: RopeConfig, factor: number): number {
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (attentionFactor !== undefined) return attentionFactor;
  if (mscale && mscaleAllDim) return magnitude(mscale) / magnitude(mscaleAllDim);
  return magnitude(1);
}
