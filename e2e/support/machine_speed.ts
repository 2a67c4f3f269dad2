import type { Harness } from "./fixtures.ts";

const PAGE = "/e2e/support/machine_speed.page.ts";
const JSON_MS = 5; // for a megabyte

/**
 * Do work whose time is held against the clock, and tell how many times longer it may take here than on a machine whose
 * browser parses two hundred megabytes of JSON a second: 1, or more where this one is slower, or busy, before or after it.
 */
export async function withAllowance<T>(harness: Harness, work: () => Promise<T>): Promise<{ result: T; allowance: number }> {
  const before = await harness.run<number>(PAGE, "jsonMsPerMegabyte");
  const result = await work();
  const after = await harness.run<number>(PAGE, "jsonMsPerMegabyte");
  return { result, allowance: Math.max(1, before / JSON_MS, after / JSON_MS) };
}

/** An allowance in words, for the report. */
export function slower(allowance: number): string {
  return `on a machine ${allowance.toFixed(1)} times as slow as the one that times are promised of`;
}
