// node tools/promises.mjs: write e2e/PROMISES.md from the reports of the last test runs.
// Every spec whose title begins with "promise N:" is evidence for promise N; what it measured is in its annotations.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PAGE = fileURLToPath(new URL("../e2e/PROMISES.md", import.meta.url));
const DEFAULT_REPORTS = ["report", "timed"].map((name) => fileURLToPath(new URL(`../test-results/${name}.json`, import.meta.url)));
const TITLE = /^promise (\d+): (.+)$/;

/** Every result of a promise's spec in Playwright's JSON report, with its share of the run's time: tests run beside each other. */
export function promiseResults(report) {
  const { workers } = report.config;
  return [...specsOf(report.suites ?? [])].flatMap(({ title, file, tests }) => {
    const named = TITLE.exec(title);
    if (!named) return [];
    return tests.filter(({ status }) => status !== "skipped").map(({ projectName, status, annotations, results }) => ({
      number: Number(named[1]), sentence: named[2], file, browser: projectName,
      outcome: status === "expected" ? "kept" : "broken",
      seconds: results.reduce((sum, { duration }) => sum + duration, 0) / 1000 / workers,
      measured: annotations.concat(results.at(-1)?.annotations ?? []).filter(({ type }) => type === "measured").map(({ description }) => description),
    }));
  });
}

/** The page that lists them. */
export function promisesPage(results) {
  const sorted = [...results].sort((a, b) => a.number - b.number || a.sentence.localeCompare(b.sentence) || a.browser.localeCompare(b.browser));
  const rows = sorted.map(({ number, sentence, file, browser, outcome, measured }) =>
    `| ${number} | ${sentence} | ${browser} | ${outcome} | ${[...new Set(measured)].join("; ").replaceAll("|", "\\|")} | [${file}](${file}) |`);
  const minutes = results.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  return `# Promises

What Hearth promises, and what was measured when its specs last ran, in browsers on software GPUs. Made by \`node tools/promises.mjs\` from the reports of those runs, never by hand.
Of those runs of \`npm test\`, on two cores, these tests took ${minutes.toFixed(1)} minutes${slowness(results)}.

| promise | that | browser | outcome | measured | spec |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

/** How slow the machine was, by the median of what its specs say of it. */
function slowness(results) {
  const times = results.flatMap(({ measured }) => measured.flatMap((text) => [...text.matchAll(/on a machine ([\d.]+) times as slow/g)].map(([, number]) => Number(number)))).sort((a, b) => a - b);
  return times.length === 0 ? "" : `, on a machine ${times[Math.floor(times.length / 2)].toFixed(1)} times as slow as the one that times are promised of`;
}

function* specsOf(suites) {
  for (const suite of suites) {
    yield* suite.specs ?? [];
    yield* specsOf(suite.suites ?? []);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reports = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT_REPORTS;
  const missing = reports.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    console.error(`${missing.join(", ")}: expected a report of Playwright; run npm test first`);
    process.exit(1);
  }
  // A later report replaces what an earlier one says of the same spec in the same browser.
  const latest = new Map();
  for (const path of reports) {
    for (const result of promiseResults(JSON.parse(readFileSync(path, "utf8")))) latest.set(`${result.browser} ${result.file} ${result.sentence}`, result);
  }
  writeFileSync(PAGE, promisesPage([...latest.values()]));
  console.log(`e2e/PROMISES.md: ${latest.size} results`);
}
