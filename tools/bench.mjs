// npm run bench: prefill and decode speed of a model in a headless browser on this machine's GPU.
import { readOptions } from "./driver/options.mjs";
import { runDriver, withModel } from "./driver/session.mjs";

const options = readOptions({
  usage: "npm run bench -- [options]",
  positionals: 0,
  options: {
    "prompt-tokens": { type: "number", help: "tokens of prompt to prefill" },
    "max-tokens": { type: "number", help: "tokens to decode" },
    json: { type: "boolean", help: "print one JSON line instead of a table" },
  },
});

await runDriver(async () => {
  await withModel({ model: options.model, browser: options.browser }, async ({ call, info }) => {
    const asked = { promptTokens: options["prompt-tokens"], maxTokens: options["max-tokens"] };
    const benchmarkOptions = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    const report = await call("benchmark", benchmarkOptions);
    if (options.json) return console.log(JSON.stringify({ ...report, info }));
    console.log(table(report, info));
  });
});

function table(report, info) {
  const { vendor, architecture, description } = info.adapter;
  const rows = [
    ["model", `${options.model}, ${info.weightFormat}, ${(info.weightBytes / 1e6).toFixed(1)} MB of weights`],
    ["adapter", [vendor, architecture, description].filter(Boolean).join(" ") || "unnamed"],
    ["prompt, answer", `${report.promptTokens}, ${report.completionTokens} tokens`],
    ["prefill", `${report.prefillTokensPerSecond.toFixed(1)} tokens/s`],
    ["decode", `${report.decodeTokensPerSecond.toFixed(1)} tokens/s`],
    ["time to first token", `${report.timeToFirstTokenMs.toFixed(1)} ms`],
    ["per token p50, p95, p99", `${[report.tokenMs.p50, report.tokenMs.p95, report.tokenMs.p99].map((ms) => ms.toFixed(2)).join(", ")} ms`],
    ["dispatches, submits per token", `${report.dispatchesPerToken}, ${report.submitsPerToken}`],
    ["encode and submit", `${report.encodeMsPerToken.toFixed(3)} ms per token`],
    ["measured bandwidth", `${(report.measuredBandwidth / 1e9).toFixed(1)} GB/s, of which decode uses ${(report.bandwidthFraction * 100).toFixed(1)} %`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => name.padEnd(width) + value).join("\n");
}
