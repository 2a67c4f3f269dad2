import { expect, test } from "@playwright/test";
import fc from "fast-check";

import { HearthError } from "../../src/errors.ts";

/** How many random cases a property takes: 5,000, or 100,000 in `npm run test:long`. */
export const CASES = process.env.HEARTH_LONG === undefined ? 5_000 : 100_000;

/** Text that parsers stumble over: any characters, and the names that JavaScript gives a meaning. */
export const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length", "") },
);

/** Any JSON value, as text in which keys may occur twice and numbers may have any spelling. */
export const anyJson: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("null", "true", "false", "{}", "[]", "NaN", "-Infinity", "1e999", "-0", "0.0", "9007199254740993", "18446744073709551616", "01", "1."),
    fc.integer().map(String),
    fc.double().map((number) => JSON.stringify(number) ?? "0"),
    anyName.map((name) => JSON.stringify(name)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join()}]`),
    fc.array(fc.tuple(anyName, tie("value")), { maxLength: 4 }).map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`),
  ),
})).value;

/** Run a parser and return what it made, or the code of the error by which it refused; anything else thrown fails the test. */
export function outcome<T>(parse: () => T): { made: T; code?: undefined } | { made?: undefined; code: string } {
  try {
    return { made: parse() };
  } catch (error) {
    if (error instanceof HearthError) return { code: error.code };
    throw error;
  }
}

/** Like `outcome`, for a parser that takes its time. */
export async function asyncOutcome<T>(parse: () => Promise<T>): Promise<{ made: T; code?: undefined } | { made?: undefined; code: string }> {
  try {
    return { made: await parse() };
  } catch (error) {
    return outcome(() => {
      throw error;
    });
  }
}

/**
 * Check a property over random cases by `node:assert`, as Playwright's own `expect` notes every call and so takes minutes.
 * Afterwards Object.prototype must be what it was, and the number of cases is noted.
 */
export async function checkProperty<Case>(name: string, cases: fc.Arbitrary<Case>, holds: (one: Case) => void | Promise<void>): Promise<void> {
  test.setTimeout(600_000);
  const before = Reflect.ownKeys(Object.prototype);
  const start = performance.now();
  await fc.assert(fc.asyncProperty(cases, async (one) => holds(one)), { numRuns: CASES });
  expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  test.info().annotations.push({ type: "measured", description: `${name}: ${CASES} random cases in ${((performance.now() - start) / 1000).toFixed(1)} s` });
}
