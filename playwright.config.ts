import { defineConfig } from "@playwright/test";

import { launchOptions } from "./tools/driver/browser.mjs";

// A port of its own for every run, so that two runs on one machine do not meet; worker processes inherit it.
process.env.HEARTH_TEST_PORT ??= String(20_000 + (process.pid % 20_000));
const baseURL = `http://localhost:${process.env.HEARTH_TEST_PORT}`;

const plainNode = ["**/e2e/unit/*.spec.ts", "**/e2e/house.spec.ts"];
const long = process.env.HEARTH_LONG ? [] : ["**/e2e/long/*.spec.ts"]; // npm run test:long
const notInBrowsers = [...plainNode, ...long];

// Set by tools/test.mjs, which runs what is held against the clock after all else, one at a time; without it all run together.
const timed = process.env.HEARTH_TIMED as "only" | "without" | undefined;

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/artifacts",
  retries: 0, // a test that passes sometimes is a test that fails
  workers: timed === "only" ? 1 : 2,
  grep: timed === "only" ? /@timed/ : undefined,
  grepInvert: timed === "without" ? /@timed/ : undefined,
  fullyParallel: true,
  timeout: 120_000, // WebGPU on the CPU is slow, and compiles every shader in every new page
  expect: { timeout: 20_000 },
  reporter: [["list"], ["json", { outputFile: `test-results/${timed === "only" ? "timed" : "report"}.json` }]],
  use: { baseURL },
  projects: [
    { name: "unit", testMatch: plainNode },
    { name: "chromium", testIgnore: notInBrowsers, use: { browserName: "chromium", launchOptions: launchOptions("chromium", "software") } },
    { name: "firefox", testIgnore: notInBrowsers, use: { browserName: "firefox", launchOptions: launchOptions("firefox") } },
  ],
  webServer: {
    command: `node node_modules/vite/bin/vite.js --mode test --port ${process.env.HEARTH_TEST_PORT} --strictPort`,
    url: `${baseURL}/e2e/support/harness.html`,
    reuseExistingServer: false,
    timeout: 180_000, // it builds the page that specs run modules in
  },
});
