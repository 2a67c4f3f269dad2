import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures.ts";

// The page with the real engine and the bundled model; what needs no GPU is in page.spec.ts.
// Tests are few and answers short: on the CPU each load takes seconds, and on a busy machine a minute.
test.setTimeout(300_000);
const FIRST = { timeout: 60_000 }; // the first answer waits for shaders

async function openReady(page: Page): Promise<void> {
  await page.goto("/");
  await expectReady(page);
}

async function expectReady(page: Page): Promise<void> {
  await expect(page.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** Change settings by their labels. */
async function set(page: Page, values: Record<string, string>): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  for (const [label, value] of Object.entries(values)) {
    const field = page.getByLabel(label);
    await field.fill(value);
    if ((await field.inputValue()) === value) continue;
    await field.selectText(); // in Firefox, fill leaves the old digits of a number field
    await page.keyboard.type(value);
  }
  await page.keyboard.press("Escape");
}

const lastAnswer = (page: Page) => page.locator(".answer").last();

test("the bundled model loads on opening, answers, remembers what was said, and starts anew", async ({ page }) => {
  await openReady(page);
  await set(page, { Temperature: "0" });
  await ask(page, "What day comes after Monday?");
  await expect(lastAnswer(page)).toContainText("Tuesday", FIRST);
  await expect(lastAnswer(page)).toContainText("tokens/s");
  await ask(page, "And after that?");
  await expect(lastAnswer(page)).toContainText("Wednesday");
  await page.getByRole("button", { name: /^Model:/ }).click();
  await expect(page.locator("#model-facts")).toContainText("15.3 million");
  await expect(page.locator("#stored")).toContainText("Hearth Tiny");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "New chat" }).click();
  await expect(page.locator(".answer")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Pull up a chair." })).toBeVisible();
});

test("an answer can be stopped, and another asked for", async ({ page }) => {
  await openReady(page);
  await ask(page, "Tell me a story about a fox named Pip.");
  await expect(page.locator(".prose")).not.toBeEmpty(FIRST);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".facts")).toContainText("stopped");
  await expect(page.locator(".prose")).not.toBeEmpty();
  await set(page, { "Longest answer, in tokens": "8" });
  await page.getByRole("button", { name: "Answer again" }).click();
  await expect(page.locator(".facts")).toContainText("reached the token limit");
});

test("settings outlive the page, the system prompt is obeyed, and the model comes from storage", async ({ page, context }) => {
  await openReady(page);
  await set(page, { "System prompt": "Speak only in capital letters.", "Longest answer, in tokens": "40", Temperature: "0" });
  await context.route("**/*.safetensors*", (route) => route.abort());
  await page.reload();
  await expectReady(page);
  await expect(page.getByLabel("Longest answer, in tokens")).toHaveValue("40");
  await ask(page, "What is the opposite of big?");
  await expect(lastAnswer(page)).toContainText("SMALL", FIRST);
});
