import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";

import type { ResolvedSampling, SamplingOptions } from "../../src/sampling/options.ts";
import { rejectUnknownKeys, resolveSampling, SAMPLING_KEYS } from "../../src/sampling/options.ts";
import { gumbel, hash3, uniform } from "../../src/sampling/random.ts";
import { applyPenalties, candidateThreshold, probabilities, sampleToken } from "../../src/sampling/sampler.ts";

const resolved = (options: SamplingOptions): ResolvedSampling => resolveSampling({ seed: 1, ...options });

// Spread logits from a fixed formula, so that expectations repeat.
function spreadLogits(count: number, salt: number): Float32Array {
  return Float32Array.from({ length: count }, (_, id) => 8 * uniform(salt, 0, id) - 4);
}

test.describe("options", () => {
  test("absent options take the checkpoint's defaults, then the library's", () => {
    const found = resolveSampling({ topK: 5, topP: undefined, seed: 3 }, { topP: 0.9, topK: 40, temperature: 0.7 });
    expect(found).toEqual({ temperature: 0.7, topK: 5, topP: 0.9, minP: 0, repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0, seed: 3 });
    expect(Object.keys(found).sort()).toEqual([...SAMPLING_KEYS].sort());
  });

  test("without a seed each call draws its own", () => {
    const seeds = Array.from({ length: 8 }, () => resolveSampling({}).seed);
    expect(new Set(seeds).size).toBeGreaterThan(6);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
  });

  const bad: [keyof SamplingOptions, unknown][] = [
    ["temperature", -0.1], ["temperature", 5.1], ["temperature", NaN], ["temperature", "1"], ["temperature", null],
    ["topK", -1], ["topK", 1.5], ["topK", Infinity], ["topP", 0], ["topP", 1.01], ["minP", -0.1], ["minP", 2],
    ["repetitionPenalty", 0], ["repetitionPenalty", Infinity], ["presencePenalty", 2.1], ["frequencyPenalty", -2.1],
    ["seed", -1], ["seed", 2 ** 32], ["seed", 0.5],
  ];
  for (const [name, value] of bad) {
    test(`${name} ${JSON.stringify(value)} (${String(value)}) is refused by name`, () => {
      const refusal = expect.objectContaining({ code: "invalid-options", message: expect.stringMatching(new RegExp(`^${name}: expected .*, found `)) });
      expect(() => resolveSampling({ [name]: value })).toThrow(refusal);
      expect(() => resolveSampling({}, { [name]: value })).toThrow(refusal);
    });
  }

  test("the ends of each range are accepted", () => {
    resolveSampling({ temperature: 5, topP: 1, minP: 1, presencePenalty: -2, frequencyPenalty: 2, seed: 2 ** 32 - 1 });
    resolveSampling({ temperature: 0, topK: 0, topP: 1e-9, minP: 0, repetitionPenalty: 0.01, seed: 0 });
  });

  test("an unknown option is refused with the known ones", () => {
    rejectUnknownKeys({ a: 1 }, ["a", "b"], "generate");
    expect(() => rejectUnknownKeys({ top_k: 1 }, ["topK"], "generate")).toThrow(/generate: unknown option "top_k"; known options are topK/);
  });
});

test.describe("the generator", () => {
  test("it gives these very numbers, which the shader must give too", () => {
    const inputs = [[0, 0, 0], [1, 2, 3], [0xffffffff, 0xffffffff, 0xffffffff], [123456789, 1000, 151935]];
    expect(inputs.map(([seed, step, id]) => hash3(seed, step, id))).toEqual([1680814304, 1440149336, 3330228202, 2474782230]);
    expect(inputs.every(([seed, step, id]) => Math.fround(uniform(seed, step, id)) === uniform(seed, step, id))).toBe(true);
  });

  test("its hash is the one written out in big integers", () => {
    const mask = 0xffffffffn;
    const mix = (h: bigint) => {
      h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
      h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
      return h ^ (h >> 16n);
    };
    const slow = (seed: number, step: number, id: number) =>
      Number(mix(mix(mix(BigInt(seed) ^ 0x9e3779b9n) ^ ((BigInt(step) * 0x85ebca77n) & mask)) ^ ((BigInt(id) * 0xc2b2ae3dn) & mask)));
    const inputs = Array.from({ length: 2000 }, (_, i) => [hash3(i, 0, 0), hash3(0, i, 0), hash3(0, 0, i)] as const);
    expect(inputs.map((input) => hash3(...input))).toEqual(inputs.map((input) => slow(...input)));
  });

  test("its numbers are uniform over ids, steps and seeds", () => {
    const along: ((i: number) => number)[] = [(i) => uniform(7, 3, i), (i) => uniform(7, i, 3), (i) => uniform(i, 7, 3)];
    for (const draw of along) {
      const bins = new Array<number>(64).fill(0);
      for (let i = 0; i < 64_000; i++) bins[Math.floor(draw(i) * 64)]++;
      expect(chiSquare(bins, new Array(64).fill(1 / 64))).toBeLessThan(chiSquareLimit(63));
    }
  });

  test("its numbers lie inside (0, 1), and the Gumbel noise is finite with the right mean", () => {
    let sum = 0;
    let outside = 0;
    for (let i = 0; i < 50_000; i++) {
      const u = uniform(1, 2, i);
      if (u <= 0 || u >= 1) outside++;
      sum += gumbel(1, 2, i);
    }
    expect(outside).toBe(0);
    expect(Math.abs(sum / 50_000 - 0.5772)).toBeLessThan(0.03); // Euler's constant; the standard error is 0.0057
  });

  test("no noise lifts a token from further below the peak than the GPU's bins reach", () => {
    const [least, most] = [2 ** -24, 1 - 2 ** -24].map((u) => -Math.log(-Math.log(u))); // the smallest and the largest number there is
    const shortlist = readFileSync(new URL("../../shaders/lib/shortlist.wgsl", import.meta.url), "utf8");
    expect(most - least).toBeLessThan(Number(/const REACH = ([\d.]+);/.exec(shortlist)?.[1]));
  });
});

function chiSquare(observed: readonly number[], expected: ArrayLike<number>): number {
  const total = observed.reduce((sum, count) => sum + count, 0);
  return observed.reduce((sum, count, i) => {
    if (expected[i] === 0) return count === 0 ? sum : Infinity;
    return sum + (count - total * expected[i]) ** 2 / (total * expected[i]);
  }, 0);
}

// Wilson and Hilferty's approximation of the chi-square quantile at 4 standard deviations (p about 3e-5).
function chiSquareLimit(freedom: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + 4 * Math.sqrt(spread)) ** 3;
}

test.describe("penalties", () => {
  const logits = Float32Array.of(2, -2, 3, 0, 1);

  test("the repetition penalty divides positive and multiplies negative logits of every token seen, once", () => {
    const history = { promptIds: [0, 1, 1], answerCounts: new Map([[2, 5], [0, 1]]) };
    expect([...applyPenalties(logits, history, resolved({ repetitionPenalty: 2 }))]).toEqual([1, -4, 1.5, 0, 1]);
    expect([...logits]).toEqual([2, -2, 3, 0, 1]);
  });

  test("presence and frequency penalties act on the answer alone, after the repetition penalty", () => {
    const history = { promptIds: [0, 1], answerCounts: new Map([[2, 3], [3, 1]]) };
    const sampling = resolved({ repetitionPenalty: 2, presencePenalty: 0.5, frequencyPenalty: 0.25 });
    expect([...applyPenalties(logits, history, sampling)]).toEqual([1, -4, 1.5 - 0.5 - 0.75, -0.75, 1]);
  });

  test("penalties that are off change nothing", () => {
    const history = { promptIds: [0, 1, 2], answerCounts: new Map([[2, 3]]) };
    expect(applyPenalties(logits, history, resolved({}))).toEqual(logits);
  });
});

test.describe("candidates", () => {
  const keptIds = (logits: Float32Array, options: SamplingOptions) => {
    const threshold = candidateThreshold(logits, resolved({ temperature: 1, ...options }));
    return [...logits.keys()].filter((id) => logits[id] >= threshold);
  };

  // Sort ids, then walk: the definition without thresholds. Ties at each limit are added at the end.
  function naiveKept(logits: Float32Array, { temperature = 1, topK = 0, topP = 1, minP = 0 }: SamplingOptions): number[] {
    const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]);
    const inTopK = order.filter((id) => topK === 0 || topK >= order.length || logits[id] >= logits[order[topK - 1]]);
    const weight = (id: number) => Math.exp((logits[id] - logits[order[0]]) / temperature);
    const total = inTopK.reduce((sum, id) => sum + weight(id), 0);
    let limit = inTopK.length - 1;
    for (let i = 0, mass = 0; i < inTopK.length; i++) {
      mass += weight(inTopK[i]);
      if (mass >= topP * total) {
        limit = i;
        break;
      }
    }
    const inTopP = inTopK.filter((id) => logits[id] >= logits[inTopK[limit]]);
    return inTopP.filter((id) => logits[id] >= logits[order[0]] + temperature * Math.log(minP)).sort((a, b) => a - b);
  }

  test("top-k keeps k tokens and everything that ties with the k-th", () => {
    const logits = Float32Array.of(1, 3, 2, 2, 0);
    expect(keptIds(logits, { topK: 1 })).toEqual([1]);
    expect(keptIds(logits, { topK: 2 })).toEqual([1, 2, 3]);
    expect(keptIds(logits, { topK: 3 })).toEqual([1, 2, 3]);
    expect(keptIds(logits, { topK: 4 })).toEqual([0, 1, 2, 3]);
    expect(keptIds(logits, { topK: 0 })).toHaveLength(5);
    expect(keptIds(logits, { topK: 99 })).toHaveLength(5);
  });

  test("top-p keeps the fewest tokens that reach the sum, of the mass that top-k kept", () => {
    const logits = Float32Array.from([0.5, 0.25, 0.125, 0.125], Math.log);
    expect(keptIds(logits, { topP: 0.4 })).toEqual([0]);
    expect(keptIds(logits, { topP: 0.6 })).toEqual([0, 1]);
    expect(keptIds(logits, { topP: 0.8 })).toEqual([0, 1, 2, 3]);
    expect(keptIds(logits, { topP: 0.66, topK: 2 })).toEqual([0]); // 0.5 of 0.75
  });

  test("min-p keeps tokens at least that fraction as likely as the best, at this temperature", () => {
    const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);
    expect(keptIds(logits, { minP: 0.25 })).toEqual([0, 1, 2]);
    expect(keptIds(logits, { minP: 0.5 })).toEqual([0, 1]);
    expect(keptIds(logits, { minP: 0.5, temperature: 4 })).toEqual([0, 1, 2, 3]);
    expect(keptIds(logits, { minP: 1 })).toEqual([0]);
  });

  test("the limits agree with a plain sort, with and without ties", () => {
    for (let round = 0; round < 400; round++) {
      const count = 1 + (hash3(round, 1, 0) % 60);
      const exact = spreadLogits(count, round);
      const logits = round % 2 === 0 ? exact : exact.map(Math.round);
      const options = {
        temperature: 0.2 + 2 * uniform(round, 2, 0),
        topK: hash3(round, 3, 0) % 20,
        topP: uniform(round, 4, 0) ** 0.3,
        minP: round % 3 === 0 ? 0 : 0.3 * uniform(round, 5, 0),
      };
      expect(keptIds(logits, options), JSON.stringify({ round, options })).toEqual(naiveKept(logits, options));
    }
  });

  test("a token that was ruled out with minus infinity is never a candidate beside others", () => {
    const logits = Float32Array.of(-Infinity, 1, -Infinity, 0);
    expect(probabilities(logits, resolved({ temperature: 1 }))[0]).toBe(0);
    for (let step = 0; step < 50; step++) expect([1, 3]).toContain(sampleToken(logits, resolved({ temperature: 1 }), step));
  });
});

test.describe("sampling", () => {
  test("temperature 0 takes the largest logit, and of equals the lowest id", () => {
    expect(sampleToken(Float32Array.of(0, 5, 5, 1), resolved({ temperature: 0 }), 0)).toBe(1);
    expect(sampleToken(Float32Array.of(-3, -3), resolved({ temperature: 0 }), 9)).toBe(0);
    expect([...probabilities(Float32Array.of(0, 5, 5, 1), resolved({ temperature: 0 }))]).toEqual([0, 1, 0, 0]);
  });

  test("the same seed and step choose the same token, other steps and seeds choose anew", () => {
    const logits = spreadLogits(500, 4);
    const draw = (seed: number, step: number) => sampleToken(logits, resolved({ temperature: 2, seed }), step);
    const bySteps = Array.from({ length: 20 }, (_, step) => draw(5, step));
    expect(Array.from({ length: 20 }, (_, step) => draw(5, step))).toEqual(bySteps);
    expect(new Set(bySteps).size).toBeGreaterThan(10);
    expect(new Set(Array.from({ length: 20 }, (_, seed) => draw(seed, 0))).size).toBeGreaterThan(10);
  });

  const settings: SamplingOptions[] = [
    { temperature: 1 },
    { temperature: 0.5 },
    { temperature: 1.7, topK: 7 },
    { temperature: 1, topP: 0.8 },
    { temperature: 0.8, minP: 0.1 },
    { temperature: 1.2, topK: 15, topP: 0.9, minP: 0.02 },
  ];
  for (const options of settings) {
    test(`draws follow the probabilities of ${JSON.stringify(options)}`, () => {
      const logits = spreadLogits(20, 9);
      const sampling = resolved({ ...options, seed: 2024 });
      const expected = probabilities(logits, sampling);
      const counts = new Array<number>(20).fill(0);
      for (let step = 0; step < 20_000; step++) counts[sampleToken(logits, sampling, step)]++;
      const freedom = Math.max(1, [...expected].filter((p) => p > 0).length - 1);
      expect(chiSquare(counts, expected)).toBeLessThan(chiSquareLimit(freedom));
    });
  }

  test("probabilities are the softmax of the kept logits", () => {
    const logits = Float32Array.of(1, 2, 3, 4);
    const found = probabilities(logits, resolved({ temperature: 2, topK: 2 }));
    const odds = Math.exp(0.5);
    expect([...found].map((p) => p.toFixed(12))).toEqual([0, 0, 1 / (1 + odds), odds / (1 + odds)].map((p) => p.toFixed(12)));
  });
});
