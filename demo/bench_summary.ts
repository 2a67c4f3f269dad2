import type { BenchmarkReport } from "../src/index.ts";

/** The middle of several runs, and how far they lie apart. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** One measured quantity: what it is called, its unit, and how it is read from a report. */
export interface Quantity {
  name: string;
  unit: string;
  read: (report: BenchmarkReport) => number;
}

/** The speeds that the page draws first. */
export const DECODE: Quantity = { name: "Decode", unit: "tokens/s", read: (report) => report.decodeTokensPerSecond };
export const PREFILL: Quantity = { name: "Prefill", unit: "tokens/s", read: (report) => report.prefillTokensPerSecond };
export const FIRST_TOKEN: Quantity = { name: "First token", unit: "ms", read: (report) => report.timeToFirstTokenMs };

/** Time from one token to the next, by percentile. */
export const TOKEN_TIMES: readonly Quantity[] = [
  { name: "Per token, p50", unit: "ms", read: (report) => report.tokenMs.p50 },
  { name: "Per token, p95", unit: "ms", read: (report) => report.tokenMs.p95 },
  { name: "Per token, p99", unit: "ms", read: (report) => report.tokenMs.p99 },
];

/** Everything in the table, in its order. */
export const QUANTITIES: readonly Quantity[] = [
  DECODE,
  PREFILL,
  FIRST_TOKEN,
  ...TOKEN_TIMES,
  { name: "Encode and submit, per token", unit: "ms", read: (report) => report.encodeMsPerToken },
  { name: "Dispatches per token", unit: "", read: (report) => report.dispatchesPerToken },
  { name: "Submits per token", unit: "", read: (report) => report.submitsPerToken },
  { name: "GPU memory, at most", unit: "MB", read: (report) => report.peakMemoryBytes / 1e6 },
  { name: "Memory bandwidth, measured", unit: "GB/s", read: (report) => report.measuredBandwidth / 1e9 },
  { name: "Bandwidth that decoding uses", unit: "%", read: (report) => report.bandwidthFraction * 100 },
];

/** Summarise one quantity over some runs; of an even number the upper of the two in the middle counts. */
export function spread(reports: readonly BenchmarkReport[], { read }: Quantity): Spread {
  const values = reports.map(read).sort((a, b) => a - b);
  return { median: values[Math.floor(values.length / 2)], least: values[0], most: values[values.length - 1] };
}

/** Write a number with three significant digits and no exponent: "0.0500", "84.2", "2386". */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return String(Math.round(value));
  return value.toPrecision(3);
}

/** Write a number with its unit. */
export function withUnit(value: number, unit: string): string {
  return unit ? `${formatNumber(value)} ${unit}` : formatNumber(value);
}
