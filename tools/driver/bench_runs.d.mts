import type { BenchmarkReport } from "../../src/index.ts";

/** The least and the most of some runs. */
type Range = [number, number];

export interface MedianReport extends BenchmarkReport {
  spread: { runs: number } & Record<"prefillTokensPerSecond" | "decodeTokensPerSecond" | "timeToFirstTokenMs", Range>;
}

export function medianReport(reports: readonly BenchmarkReport[]): MedianReport;
