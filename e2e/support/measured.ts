import { test } from "@playwright/test";

/** Note what a promise's test measured, for the report of all promises. */
export function measured(description: string): void {
  test.info().annotations.push({ type: "measured", description });
}

/**
 * Of tests that hold a promise's time against the clock: `npm test` runs them after all others, one at a time, because a
 * clock also counts what other tests take of the cores.
 */
export const TIMED = { tag: "@timed" };
