import { expect, test } from "@playwright/test";

import type { BenchmarkReport } from "../../src/index.ts";
import { medianReport } from "../../tools/driver/bench_runs.mjs";

const report = (decodeTokensPerSecond: number, p99: number): BenchmarkReport => ({
  promptTokens: 8, completionTokens: 4, prefillTokensPerSecond: 10 * decodeTokensPerSecond, decodeTokensPerSecond, timeToFirstTokenMs: 1000 / decodeTokensPerSecond,
  tokenMs: { p50: 1, p95: 2, p99 }, dispatchesPerToken: 3, submitsPerToken: 1, encodeMsPerToken: 0.1, peakMemoryBytes: 100, measuredBandwidth: 1e9, bandwidthFraction: 0.5,
});

test("several runs are told by the median of each number, and by how far their speeds lie apart", () => {
  const kernels = { clock: "wall", kernels: [] } as const;
  const found = medianReport([report(20, 5), report(40, 9), { ...report(25, 7), kernels: { ...kernels, kernels: [] } }]);
  expect(found).toMatchObject({ decodeTokensPerSecond: 25, prefillTokensPerSecond: 250, timeToFirstTokenMs: 40, tokenMs: { p50: 1, p99: 7 }, kernels });
  expect(found.spread).toEqual({ runs: 3, decodeTokensPerSecond: [20, 40], prefillTokensPerSecond: [200, 400], timeToFirstTokenMs: [25, 50] });
});
