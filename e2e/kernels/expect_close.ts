import { expect } from "../support/fixtures.ts";
import type { Finding } from "./kernel_runs.ts";

/** Expect every case to be within `bound` of its twin; every failure is reported. */
export function expectClose(findings: readonly Finding[], bound: number): void {
  expect(findings.length).toBeGreaterThan(0);
  for (const { name, error } of findings) expect.soft(error, name).toBeLessThan(bound);
}
