import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures.ts";

const FAKE_ENGINE = readFileSync(new URL("./fake_engine.js", import.meta.url), "utf8");

async function open(page: Page, query = ""): Promise<void> {
  await page.route("**/src/index.ts*", (route) => route.fulfill({ contentType: "text/javascript", body: FAKE_ENGINE }));
  await page.goto(`/bench.html${query}`);
  await expect(page.getByLabel("Model")).toContainText("Hearth Tiny");
}

async function setNumber(page: Page, label: string, value: number): Promise<void> {
  await page.getByLabel(label).selectText(); // in Firefox, fill leaves the old digits of a number field
  await page.keyboard.type(String(value));
  await expect(page.getByLabel(label)).toHaveValue(String(value));
}

const row = (page: Page, name: string) => page.getByRole("row", { name });

test("the speed page shows the median of its runs and how far they lie apart", async ({ page }) => {
  await open(page);
  await page.getByLabel("Model").selectOption("synthetic:qwen3-0.6b");
  await page.getByRole("button", { name: "Measure" }).press("Enter");
  await expect(page.getByRole("status")).toHaveText("Done.");
  // The stand-in decodes 120, 100 and 110 tokens a second, in this order.
  await expect(row(page, "Decode").getByRole("cell")).toHaveText(["110 tokens/s", "100", "120"]);
  await expect(row(page, "Submits per token").getByRole("cell")).toHaveText(["1", "1", "1"]);
  await expect(row(page, "GPU memory, at most").getByRole("cell").first()).toHaveText("640 MB");
  await expect(row(page, "Per token, p99").getByRole("cell").first()).toHaveText("12.0 ms");
  await expect(page.getByRole("heading", { name: "qwen3-0.6b" })).toBeVisible();
});

test("each kernel is timed in the last run, where that is asked for", async ({ page }) => {
  await open(page);
  await page.getByLabel("Also time each kernel").check();
  await page.getByRole("button", { name: "Measure" }).click();
  await expect(page.getByRole("status")).toHaveText("Done.");
  const kernels = page.getByRole("table", { name: "Each kernel of a token by itself, by this page's clock" });
  await expect(kernels).toHaveCount(1);
  await expect(kernels.getByRole("row", { name: "matmul_vec up" }).getByRole("cell")).toHaveText(["28", "0.250 ms", "20 %", "60 %"]);
  await expect(kernels.getByRole("row", { name: "attention_decode" }).getByRole("cell")).toHaveText(["28", "0.125 ms", "", ""]);
});

test("the numbers can be copied as JSON", async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text: string) => Object.assign(window, { copied: text }) } });
  });
  await open(page);
  await setNumber(page, "Runs", 1);
  await page.getByRole("button", { name: "Measure" }).click();
  await page.getByRole("button", { name: "Copy JSON" }).click();
  await expect(page.getByRole("status")).toHaveText("Copied.");
  const copied = JSON.parse(await page.evaluate(() => (window as unknown as { copied: string }).copied));
  expect(copied.reports).toHaveLength(1);
  expect(copied.reports[0].decodeTokensPerSecond).toBe(120);
  expect(copied.info.adapter.vendor).toBe("fake");
});

test("a measurement can be stopped, and begun again", async ({ page }) => {
  await page.route("**/fake-weights", () => {}); // they never come
  await open(page, "?slow");
  await page.getByRole("button", { name: "Measure" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("status")).toHaveText("Stopped.");
  await expect(page.getByRole("button", { name: "Measure" })).toBeEnabled();
});

test("a browser without WebGPU is told so", async ({ page }) => {
  await open(page, "?no-webgpu");
  await page.getByRole("button", { name: "Measure" }).click();
  await expect(page.getByRole("heading", { name: "This browser cannot light the fire" })).toBeVisible();
});

test("the chat page leads to the speed of the model that it holds, and back", async ({ page }) => {
  await open(page);
  await page.getByRole("link", { name: "Back to the chat" }).click();
  await expect(page.locator("[data-phase=ready]")).toBeVisible();
  await page.getByRole("button", { name: /^Model:/ }).click();
  await page.getByLabel("Load another").fill("org/kept");
  await page.keyboard.press("Enter");
  const link = page.getByRole("link", { name: "Measure speed" });
  await expect(link).toHaveAttribute("href", /model=org%2Fkept/);
  await link.click();
  await expect(page.getByLabel("Model")).toHaveValue("org/kept");
});

for (const width of [360, 1280]) {
  test(`nothing of the speed page sticks out at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 700 });
    await open(page);
    await page.getByLabel("Also time each kernel").check();
    await page.getByRole("button", { name: "Measure" }).click();
    await expect(page.getByRole("status")).toHaveText("Done.");
    const overflow = await page.locator(".scroller").evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(overflow).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });
}

test("the bundled model is measured for real", async ({ page }) => {
  test.setTimeout(300_000);
  await page.goto("/bench.html");
  await setNumber(page, "Prompt tokens", 16);
  await setNumber(page, "Answer tokens", 8);
  await setNumber(page, "Runs", 1);
  await page.getByRole("button", { name: "Measure" }).click();
  await expect(page.getByRole("status")).toHaveText("Done.", { timeout: 240_000 });
  await expect(page.getByRole("heading", { name: "Hearth Tiny" })).toBeVisible();
  await expect(page.locator(".results")).toContainText("16 tokens of prompt, 8 decoded");
  await expect(row(page, "Decode").getByRole("cell").first()).toHaveText(/^\d[\d.]* tokens\/s$/);
});
