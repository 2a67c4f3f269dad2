import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

type Ending = Awaited<ReturnType<(typeof import("./life_return.page.ts"))["end"]>>;

const PAGE = "/e2e/faults/life_return.page.ts";
const AWAY_MS = 1500;

// Playwright switches Chromium's back/forward cache off, which visitors have.
test.use({
  launchOptions: async ({ launchOptions, browserName }, use) =>
    use(browserName === "chromium" ? { ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] } : launchOptions),
});

test("promise 48: a visitor who leaves in the middle of an answer and comes back has the answer, or a page that answers", async ({ harness }) => {
  const { page } = harness;
  const options = { maxTokens: 32 };
  await harness.run(PAGE, "begin", options);
  await page.evaluate(() => void Object.assign(window, { isKept: true }));
  await page.goto("about:blank");
  await page.waitForTimeout(AWAY_MS); // what the visitor does meanwhile
  await goBack(page);
  // Which pages are kept is the browser's choice: Firefox keeps none whose worker holds a Web Lock, by which the page
  // learns of a worker's end, and Chromium now this one, now that.
  const isKept = await page.evaluate(() => "isKept" in window);
  if (!isKept) await harness.run(PAGE, "begin", options);
  const ending = harness.run<Ending>(PAGE, "end", options);
  const { text, expected, longestGapMs, resumedMs } = await ending.catch((error: Error) => {
    throw new Error(`${isKept ? "the page that was kept" : "the page that was loaded anew"}: ${error.message}`, { cause: error });
  });
  measured(isKept ? `text identical after the page stood still for ${Math.round(longestGapMs)} ms; whole ${Math.round(resumedMs)} ms after its return` : "the browser loads the page anew, whose answers are right");
  if (isKept) expect(longestGapMs).toBeGreaterThan(AWAY_MS / 2); // it stood still indeed
  expect(text).toBe(expected);
});

/** Go back, to a page that may be kept: Playwright's own goBack waits for a load, which a kept page does not have. */
async function goBack(page: Page): Promise<void> {
  await page.evaluate(() => void setTimeout(() => history.back())); // after the answer to this call
  const isBack = () => page.evaluate(() => "run" in window && document.readyState === "complete").catch(() => false); // between two documents
  await expect.poll(isBack).toBe(true);
}
