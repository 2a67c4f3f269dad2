import { HearthError } from "../errors.ts";
import type { RopeConfig } from "../formats/model_config.ts";
import type { RopeSpec } from "../kernels/rope_spec.ts";

/** What a rotation depends on besides the rope settings themselves. */
export interface RopeShape {
  headDim: number;
  maxPositionEmbeddings: number;
  /** Positions that this session can reach: some scalings depend on the length. */
  contextLength: number;
}

/** No rotation at all: such layers know positions only by what other layers tell them. */
export const NO_ROPE: RopeSpec = { rotaryDim: 0, isInterleaved: false, inverseFrequencies: [], attentionFactor: 1, queryGrowth: { beta: 0, span: 1 } };

/** Turn rope settings into angular frequencies (Su et al., "RoFormer", and the scalings named below). */
export function ropeSpec(rope: RopeConfig, defaultTheta: number, shape: RopeShape): RopeSpec {
  // A proportional rotation takes the whole head, and leaves all but a part of its pairs as they are.
  const rotaryDim = rope.type === "proportional" ? shape.headDim : 2 * Math.floor((shape.headDim * (rope.partialRotaryFactor ?? 1)) / 2);
  const theta = rope.theta ?? defaultTheta;
  const queryGrowth = { beta: rope.queryGrowth ?? 0, span: rope.originalMaxPosition ?? 1 };
  return { rotaryDim, isInterleaved: false, queryGrowth, ...scaledFrequencies(rope, theta, rotaryDim, shape) };
}

type Frequencies = Pick<RopeSpec, "inverseFrequencies" | "attentionFactor">;

function scaledFrequencies(rope: RopeConfig, theta: number, rotaryDim: number, shape: RopeShape): Frequencies {
  const plain = frequencies(theta, rotaryDim);
  const factor = rope.factor ?? 1;
  switch (rope.type) {
    case "default":
      return { inverseFrequencies: plain, attentionFactor: 1 };
    case "linear": // Chen et al., "Extending Context Window via Position Interpolation"
      return { inverseFrequencies: plain.map((value) => value / factor), attentionFactor: 1 };
    case "dynamic":
      return { inverseFrequencies: frequencies(dynamicTheta(theta, rope, rotaryDim, shape), rotaryDim), attentionFactor: 1 };
    case "ntk": // the base grows by the factor, and every frequency falls a little
      return { inverseFrequencies: frequencies(theta * factor, rotaryDim).map((value) => value / factor ** (2 / rotaryDim)), attentionFactor: 1 };
    case "proportional": {
      const turning = Math.floor(((rope.partialRotaryFactor ?? 1) * rotaryDim) / 2);
      return { inverseFrequencies: plain.map((value, pair) => (pair < turning ? value / factor : 0)), attentionFactor: 1 };
    }
    case "llama3":
      return { inverseFrequencies: plain.map((value) => llama3Frequency(value, rope, shape)), attentionFactor: 1 };
    case "yarn":
      return yarnFrequencies(rope, theta, rotaryDim, shape);
    case "longrope":
    case "su":
      return longropeFrequencies(rope, plain, shape);
    default:
      throw new HearthError("unsupported-checkpoint", `config.json: rope type "${rope.type}" is not supported. Hearth knows default, linear, dynamic, ntk, llama3, yarn, longrope and proportional.`);
  }
}

function frequencies(theta: number, rotaryDim: number): number[] {
  return Array.from({ length: rotaryDim / 2 }, (_, pair) => theta ** ((-2 * pair) / rotaryDim));
}

/** Dynamic NTK scaling: the base grows once the context outgrows the trained length, or by HunYuan's fixed alpha. */
function dynamicTheta(theta: number, { factor = 1, alpha }: RopeConfig, rotaryDim: number, { contextLength, maxPositionEmbeddings }: RopeShape): number {
  if (alpha) return theta * alpha ** (rotaryDim / (rotaryDim - 2));
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
function yarnFrequencies(rope: RopeConfig, theta: number, rotaryDim: number, { maxPositionEmbeddings }: RopeShape): Frequencies {
  const { factor = 1, betaFast = 32, betaSlow = 1, truncate = true, originalMaxPosition = maxPositionEmbeddings } = rope;
  const correction = (beta: number) => (rotaryDim * Math.log(originalMaxPosition / (2 * Math.PI * beta))) / (2 * Math.log(theta));
  const [first, last] = truncate ? [Math.floor(correction(betaFast)), Math.ceil(correction(betaSlow))] : [correction(betaFast), correction(betaSlow)];
  const low = Math.max(first, 0);
  const high = Math.min(last, rotaryDim - 1);
  const inverseFrequencies = frequencies(theta, rotaryDim).map((frequency, pair) => {
    const ramp = Math.min(1, Math.max(0, (pair - low) / (high === low ? 0.001 : high - low)));
    return (frequency / factor) * ramp + frequency * (1 - ramp);
  });
  return { inverseFrequencies, attentionFactor: yarnAttentionFactor(rope, factor) };
}

function yarnAttentionFactor({ attentionFactor, mscale, mscaleAllDim }: RopeConfig, factor: number): number {
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (attentionFactor !== undefined) return attentionFactor;
  if (mscale && mscaleAllDim) return magnitude(mscale) / magnitude(mscaleAllDim);
  return magnitude(1);
}

/** LongRoPE (Ding et al.): a divisor for each frequency. A session keeps to one list, as the cache keeps rotated keys. */
function longropeFrequencies(rope: RopeConfig, plain: readonly number[], { maxPositionEmbeddings, contextLength }: RopeShape): Frequencies {
  const { originalMaxPosition = maxPositionEmbeddings, shortFactors, longFactors } = rope;
  const divisors = contextLength > originalMaxPosition ? longFactors : shortFactors;
  if (divisors?.length !== plain.length) {
    throw new HearthError("corrupt-checkpoint", `config.json: rope_scaling: expected ${plain.length} factors, found ${divisors?.length ?? 0}`);
  }
  const factor = rope.factor ?? maxPositionEmbeddings / originalMaxPosition;
  const grown = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPosition));
  return { inverseFrequencies: plain.map((frequency, pair) => frequency / divisors[pair]), attentionFactor: rope.attentionFactor ?? grown };
}
