// node tools/speed_table.mjs: rewrites the README's speed table from the newest raw reports in bench/results.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const MARKED = /(<!-- speed: made by tools\/speed_table\.mjs -->\n)[\s\S]*?(<!-- \/speed -->)/;

/** The README with its speed table as the raw reports have it. */
export function withSpeedTable(readme) {
  const results = new URL("bench/results/", root);
  const newest = readdirSync(results).filter((name) => name.endsWith(".json")).sort().at(-1);
  const { date, commit, browser, adapter, options, runs } = JSON.parse(readFileSync(new URL(newest, results), "utf8"));
  const rows = runs.filter(({ report }) => report).map(({ model, report }) => {
    const cells = [
      model.replace(/^\/models\/|\/$/g, ""),
      report.promptTokens,
      Math.round(report.prefillTokensPerSecond),
      Math.round(report.decodeTokensPerSecond),
      report.timeToFirstTokenMs.toFixed(0),
      `${(report.bandwidthFraction * 100).toFixed(0)} %`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = "| model | prompt tokens | prefill, tokens/s | decode, tokens/s | first token, ms | weights read, of the bandwidth measured |";
  const table = [`${adapter}, ${browser}; ${options}; ${date}, commit ${commit}:`, "", head, "| --- | --- | --- | --- | --- | --- |", ...rows, ""].join("\n");
  return readme.replace(MARKED, (_, begin, end) => `${begin}${table}\n${end}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = new URL("README.md", root);
  writeFileSync(readme, withSpeedTable(readFileSync(readme, "utf8")));
}
