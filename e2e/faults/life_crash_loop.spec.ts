import { readFileSync } from "node:fs";

import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

const FAKE_ENGINE = readFileSync(new URL("../demo/fake_engine.js", import.meta.url), "utf8");

test.beforeEach(async ({ page }) => {
  await page.route("**/src/index.ts*", (route) => route.fulfill({ contentType: "text/javascript", body: FAKE_ENGINE }));
  await page.route("**/fake-weights", () => {}); // what loads slowly loads for as long as the test lasts
});

test("promise 39: after two visits that ended in the middle of a load, the third asks before it loads", async ({ page }) => {
  // A page that the system ends is told nothing.
  await page.addInitScript(() => {
    const listen = window.addEventListener.bind(window);
    window.addEventListener = (type: string, ...rest: [EventListenerOrEventListenerObject]) => void (type !== "pagehide" && listen(type, ...rest));
  });
  for (let visit = 1; visit <= 2; visit++) {
    await page.goto("/?slow");
    await expect(page.locator("#loading")).not.toBeEmpty();
  }
  await page.goto("/?slow");
  await expect(page.locator("#models")).toBeVisible();
  await expect(page.locator("#status")).toContainText("never came to an end");
  await expect(page.locator("#model-name")).toHaveText("No model");
  measured("third visit: the chooser is open, and nothing loads");
});

test("leaving in the middle of a load, or a load that fails, counts as no crash", async ({ page }) => {
  for (let visit = 1; visit <= 3; visit++) {
    await page.goto("/?slow");
    await expect(page.locator("#loading")).not.toBeEmpty();
  }
  await expect(page.locator("#models")).toBeHidden();
  await page.goto("/");
  await expect(page.locator("#open-models")).toHaveAttribute("data-phase", "ready");
});
