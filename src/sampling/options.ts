import { HearthError } from "../errors.ts";

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

/** What each option may be, in words and as a check. */
const RULES: { [Name in keyof ResolvedSampling]: { expected: string; accepts: (value: number) => boolean } } = {
  temperature: { expected: "a number from 0 to 5", accepts: (value) => value >= 0 && value <= 5 },
  topK: { expected: "an integer from 0 to 2147483647 (0 keeps all)", accepts: (value) => isInteger(value, 0, 2 ** 31 - 1) },
  topP: { expected: "a number above 0, at most 1", accepts: (value) => value > 0 && value <= 1 },
  minP: { expected: "a number from 0 to 1", accepts: (value) => value >= 0 && value <= 1 },
  repetitionPenalty: { expected: "a finite number above 0 (1 is off)", accepts: (value) => value > 0 && Number.isFinite(value) },
  presencePenalty: { expected: "a number from -2 to 2", accepts: (value) => value >= -2 && value <= 2 },
  frequencyPenalty: { expected: "a number from -2 to 2", accepts: (value) => value >= -2 && value <= 2 },
  seed: { expected: "an integer from 0 to 4294967295", accepts: (value) => isInteger(value, 0, 2 ** 32 - 1) },
};

const DEFAULTS: Omit<ResolvedSampling, "seed"> = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
};

/** The names of the sampling options, for `rejectUnknownKeys`. */
export const SAMPLING_KEYS = Object.keys(RULES) as readonly (keyof SamplingOptions)[]; // keyof RULES is keyof ResolvedSampling

/** Fill in what is absent, from the checkpoint's own defaults first, and refuse what is out of range. */
export function resolveSampling(options: SamplingOptions, defaults: SamplingOptions = {}): ResolvedSampling {
  const resolved: Partial<ResolvedSampling> = {};
  for (const name of SAMPLING_KEYS) {
    // Only undefined counts as absent: null is a mistake worth telling.
    const given = options[name] === undefined ? defaults[name] : options[name];
    resolved[name] = given === undefined ? defaultOf(name) : checked(name, given);
  }
  return resolved as ResolvedSampling; // every name of RULES was assigned
}

function defaultOf(name: keyof ResolvedSampling): number {
  return name === "seed" ? crypto.getRandomValues(new Uint32Array(1))[0] : DEFAULTS[name];
}

function checked(name: keyof ResolvedSampling, value: unknown): number {
  if (typeof value === "number" && RULES[name].accepts(value)) return value;
  const found = typeof value === "number" ? value : `${typeof value} ${JSON.stringify(value)}`;
  throw new HearthError("invalid-options", `${name}: expected ${RULES[name].expected}, found ${found}`);
}

function isInteger(value: number, smallest: number, largest: number): boolean {
  return Number.isInteger(value) && value >= smallest && value <= largest;
}

/** Refuse an options object that has a key which nothing would read. */
export function rejectUnknownKeys(options: object, known: readonly string[], subject: string): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new HearthError("invalid-options", `${subject}: unknown option "${unknown}"; known options are ${known.join(", ")}`);
}
