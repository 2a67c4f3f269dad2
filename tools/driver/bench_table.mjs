/** A report of `model.benchmark()` as lines to read. */
export function benchTable(report, info, modelName) {
  const { vendor, architecture, description } = info.adapter;
  const { origin, gain, timed, tuneMs, workgroup, rowsPerStream, rowsPerThread, leastLanes, mostLanes, operand } = info.schedule;
  const tuned = gain === undefined ? "" : `, ${(100 * gain).toFixed(1)} % faster than the usual one, ${timed} others timed${tuneMs === undefined ? "" : ` in ${tuneMs.toFixed(0)} ms`}`;
  const cut = rowsPerStream > 0 ? `up to ${rowsPerStream} rows a stream, inputs as ${operand}` : `${rowsPerThread} rows a thread, ${leastLanes} to ${mostLanes} threads a row`;
  const rows = [
    ["model", `${modelName}, ${info.weightFormat}, ${(info.weightBytes / 1e6).toFixed(1)} MB of weights`],
    ["adapter", [vendor, architecture, description].filter(Boolean).join(" ") || "unnamed"],
    ["schedule", `${origin}: ${workgroup} threads, ${cut}${tuned}`],
    ["prompt, answer", `${report.promptTokens}, ${report.completionTokens} tokens`],
    ["prefill", withSpread(report, "prefillTokensPerSecond", "tokens/s")],
    ["decode", withSpread(report, "decodeTokensPerSecond", "tokens/s")],
    ["time to first token", withSpread(report, "timeToFirstTokenMs", "ms")],
    ["per token p50, p95, p99", `${[report.tokenMs.p50, report.tokenMs.p95, report.tokenMs.p99].map((ms) => ms.toFixed(2)).join(", ")} ms`],
    ["dispatches, submits per token", `${report.dispatchesPerToken}, ${report.submitsPerToken}`],
    ["encode and submit", `${report.encodeMsPerToken.toFixed(3)} ms per token`],
    ["GPU memory", `${(report.peakMemoryBytes / 1e6).toFixed(1)} MB at most`],
    ["measured bandwidth", `${(report.measuredBandwidth / 1e9).toFixed(1)} GB/s, of which decode uses ${(report.bandwidthFraction * 100).toFixed(1)} %`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => name.padEnd(width) + value);
  return [...lines, ...(report.kernels ? ["", ...kernelLines(report.kernels)] : [])].join("\n");
}

function withSpread(report, key, unit) {
  const { runs = 1, [key]: range } = report.spread ?? {};
  const apart = runs > 1 ? `, the median of ${runs} runs from ${range[0].toFixed(1)} to ${range[1].toFixed(1)}` : "";
  return `${report[key].toFixed(1)} ${unit}${apart}`;
}

const CLOCKS = { "timestamp-query": "by the GPU's own clock", wall: "by the page's clock: the adapter has no timestamp-query" };

function kernelLines({ clock, kernels }) {
  const head = ["kernel", "runs", "ms a token", "MB a token", "of the bandwidth", "of a plain read"];
  const cells = kernels.map(({ label, dispatches, milliseconds, weightBytes, bandwidthFraction, plainReadFraction }) => [
    label,
    String(dispatches),
    milliseconds.toFixed(3),
    weightBytes > 0 ? (weightBytes / 1e6).toFixed(1) : "",
    percent(bandwidthFraction),
    percent(plainReadFraction),
  ]);
  const total = ["together", String(sum(kernels, "dispatches")), sum(kernels, "milliseconds").toFixed(3), (sum(kernels, "weightBytes") / 1e6).toFixed(1), "", ""];
  const all = [head, ...cells, total];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ").trimEnd();
  return [`Each kernel of a token back to back by itself, ${CLOCKS[clock]}:`, ...all.map(line)];
}

function percent(fraction) {
  return fraction === undefined ? "" : `${(100 * fraction).toFixed(0)} %`;
}

function sum(kernels, key) {
  return kernels.reduce((total, kernel) => total + kernel[key], 0);
}
