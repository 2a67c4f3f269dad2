// node tools/speed_table.mjs: rewrites the README's speed tables from the newest raw reports in bench/results.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const RESULTS = new URL("bench/results/", root);
const MARKED = /(<!-- speed: made by tools\/speed_table\.mjs -->\n)[\s\S]*?(<!-- \/speed -->)/;

/** The README with its speed tables as the raw reports have them: the newest of each adapter and browser, GPUs first. */
export function withSpeedTable(readme) {
  const tables = newestReports().map(speedTable).join("\n");
  return readme.replace(MARKED, (_, begin, end) => `${begin}${tables}\n${end}`);
}

/** Files are named by date, then adapter and browser, then a number. */
function newestReports() {
  const newest = new Map();
  for (const name of readdirSync(RESULTS).filter((each) => each.endsWith(".json")).sort(byNumber)) newest.set(name.replace(/^\d+-\d+-\d+-|-\d+\.json$/g, ""), name);
  const reports = [...newest.values()].map((name) => JSON.parse(readFileSync(new URL(name, RESULTS), "utf8")));
  return reports.sort((a, b) => Number(isSoftware(a)) - Number(isSoftware(b)));
}

/** Names in order, their numbers by size. */
function byNumber(a, b) {
  return a.localeCompare(b, "en", { numeric: true });
}

function isSoftware({ runs }) {
  return runs.some(({ adapter }) => adapter?.isSoftware);
}

function speedTable({ date, commit, browser, adapter, options, runs }) {
  const rows = runs.filter(({ report }) => report).map(({ model, report }) => {
    const cells = [
      model.replace(/^\/models\/|\/$/g, ""),
      report.promptTokens,
      withSpread(report, "prefillTokensPerSecond"),
      withSpread(report, "decodeTokensPerSecond"),
      report.timeToFirstTokenMs.toFixed(0),
      `${(report.bandwidthFraction * 100).toFixed(0)} %`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = "| model | prompt tokens | prefill, tokens/s | decode, tokens/s | first token, ms | weights read, of the bandwidth measured |";
  return [`${adapter}, ${browser}; ${options}; ${date}, commit ${commit}:`, "", head, "| --- | --- | --- | --- | --- | --- |", ...rows, ""].join("\n");
}

/** A speed, and where there were several runs how far they lie apart. */
function withSpread({ spread, ...report }, key) {
  const apart = spread && spread.runs > 1 ? ` (${spread[key].map(Math.round).join(" to ")})` : "";
  return `${Math.round(report[key])}${apart}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = new URL("README.md", root);
  writeFileSync(readme, withSpeedTable(readFileSync(readme, "utf8")));
}
