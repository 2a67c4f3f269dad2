// npm test: type check and every spec; ends with a line "N passed, N failed". Arguments go to Playwright, but for --long,
// by which the specs of e2e/long run too, and others take many more random cases (the environment variable HEARTH_LONG).
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REPORT = "test-results/report.json";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
rmSync(REPORT, { force: true });

const args = process.argv.slice(2).filter((arg) => arg !== "--long");
if (process.argv.includes("--long")) process.env.HEARTH_LONG = "1";

const typesAreSound = run("node_modules/typescript/bin/tsc", "--noEmit");
console.log(typesAreSound ? "types: sound" : "types: see the errors above");
const specsPassed = run("node_modules/@playwright/test/cli.js", "test", ...args);

const report = existsSync(REPORT) ? JSON.parse(readFileSync(REPORT, "utf8")) : undefined;
for (const line of skippedTests(report?.suites ?? [])) console.log(`skipped: ${line}`);
const { expected = 0, unexpected = 0, flaky = 0 } = report?.stats ?? {};
// Playwright can also fail as a whole: a spec that does not compile, a server that does not start.
const failedAsAWhole = !specsPassed && unexpected + flaky === 0 ? 1 : 0;
const failed = unexpected + flaky + failedAsAWhole + (typesAreSound ? 0 : 1);
console.log(`${expected + (typesAreSound ? 1 : 0)} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function run(script, ...args) {
  return spawnSync(process.execPath, [script, ...args], { stdio: "inherit" }).status === 0;
}

/** Walk the report's tree and name every skipped test with its project and reason. */
function skippedTests(suites) {
  return suites.flatMap((suite) => [
    ...skippedTests(suite.suites ?? []),
    ...(suite.specs ?? []).flatMap((spec) =>
      spec.tests
        .filter(({ status }) => status === "skipped")
        .map(({ projectName, annotations }) => {
          const reason = annotations.find(({ type }) => type === "skip" || type === "fixme")?.description ?? "no reason given";
          return `${spec.file} (${projectName}) ${spec.title}: ${reason}`;
        }),
    ),
  ]);
}
