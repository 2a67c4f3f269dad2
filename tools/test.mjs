// npm test: type check and every spec; ends with a line "N passed, N failed". Arguments go to Playwright, but for --long,
// by which the specs of e2e/long run too, and others take many more random cases (the environment variable HEARTH_LONG).
// Tests that hold a time against the clock run last, one at a time (HEARTH_TIMED).
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REPORTS = { without: "test-results/report.json", only: "test-results/timed.json" };

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
for (const path of Object.values(REPORTS)) rmSync(path, { force: true });

const args = process.argv.slice(2).filter((arg) => arg !== "--long");
if (process.argv.includes("--long")) process.env.HEARTH_LONG = "1";

const typesAreSound = run("node_modules/typescript/bin/tsc", "--noEmit");
console.log(typesAreSound ? "types: sound" : "types: see the errors above");
const parts = Object.entries(REPORTS).map(([timed, path]) => {
  process.env.HEARTH_TIMED = timed;
  const passed = run("node_modules/@playwright/test/cli.js", "test", "--pass-with-no-tests", ...args);
  const { suites = [], stats = {} } = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const { expected = 0, unexpected = 0, flaky = 0, skipped = 0 } = stats;
  // Playwright can also fail as a whole: a spec that does not compile, a server that does not start.
  return { suites, expected, failed: passed ? 0 : Math.max(1, unexpected + flaky), found: expected + unexpected + flaky + skipped };
});
const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
// One of the two may have nothing to run, but arguments that name no test at all are a mistake.
const foundNone = sum("found") === 0 && sum("failed") === 0;
if (foundNone) console.error(`no test was found for: ${args.join(" ")}`);

const suites = parts.flatMap((part) => part.suites);
for (const { name, reason } of testsThatWere("skipped", suites)) console.log(`skipped: ${name}: ${reason}`);
for (const { name, error } of testsThatWere("unexpected", suites)) console.log(`failed: ${name}: ${error}`);
const failed = sum("failed") + (foundNone ? 1 : 0) + (typesAreSound ? 0 : 1);
console.log(`${sum("expected") + (typesAreSound ? 1 : 0)} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function run(script, ...args) {
  return spawnSync(process.execPath, [script, ...args], { stdio: "inherit" }).status === 0;
}

/** Walk the report's tree and name every test of this status with its project, and with why it was skipped or failed. */
function testsThatWere(status, suites) {
  return suites.flatMap((suite) => [
    ...testsThatWere(status, suite.suites ?? []),
    ...(suite.specs ?? []).flatMap((spec) =>
      spec.tests
        .filter((test) => test.status === status)
        .map(({ projectName, annotations, results }) => ({
          name: `${spec.file} (${projectName}) ${spec.title}`,
          reason: annotations.find(({ type }) => type === "skip" || type === "fixme")?.description ?? "no reason given",
          error: plainLine(results.flatMap(({ errors }) => errors)[0]?.message ?? "no error given"),
        })),
    ),
  ]);
}

/** A message in one line, without the colours that a terminal would show. */
function plainLine(message) {
  return message.replace(/\u001b\[\d+m/g, "").replace(/\s+/g, " ").slice(0, 300);
}
