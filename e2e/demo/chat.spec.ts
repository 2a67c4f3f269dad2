import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures.ts";

// The page with the real engine and the bundled model; what needs no GPU is in page.spec.ts.

async function openReady(page: Page): Promise<void> {
  await page.goto("/");
  await expect(page.locator("[data-phase=ready]")).toBeVisible({ timeout: 60_000 });
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

async function useGreedyAnswers(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Temperature").fill("0");
  await page.keyboard.press("Escape");
}

const answers = (page: Page) => page.locator(".answer");

test("the bundled model loads on opening and answers, remembering what was said", async ({ page }) => {
  await openReady(page);
  await useGreedyAnswers(page);
  await ask(page, "What day comes after Monday?");
  await expect(answers(page).last()).toContainText("Tuesday");
  await expect(answers(page).last()).toContainText("tokens/s");
  await ask(page, "And after that?");
  await expect(answers(page).last()).toContainText("Wednesday");
});

test("an answer can be stopped, and another asked for", async ({ page }) => {
  await openReady(page);
  await ask(page, "Tell me a story about a fox named Pip.");
  await expect(answers(page).locator(".prose")).not.toBeEmpty();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator("body")).toHaveAttribute("data-busy", "idle");
  await page.getByRole("button", { name: "Answer again" }).click();
  await expect(answers(page).locator(".facts")).toContainText("tokens/s", { timeout: 60_000 });
});

test("a new chat forgets the old one", async ({ page }) => {
  await openReady(page);
  await ask(page, "What is 3 + 4?");
  await expect(answers(page).locator(".facts")).not.toBeEmpty();
  await page.getByRole("button", { name: "New chat" }).click();
  await expect(answers(page)).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Pull up a chair." })).toBeVisible();
});

test("settings persist, and the system prompt is obeyed", async ({ page }) => {
  await openReady(page);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("System prompt").fill("Speak only in capital letters.");
  await page.getByLabel("Longest answer, in tokens").fill("40");
  await page.keyboard.press("Escape");
  await useGreedyAnswers(page);
  await page.reload();
  await expect(page.locator("[data-phase=ready]")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByLabel("Longest answer, in tokens")).toHaveValue("40");
  await ask(page, "What is the opposite of big?");
  await expect(answers(page).last()).toContainText("SMALL");
});

test("the panel tells what is loaded and what is stored", async ({ page }) => {
  await openReady(page);
  await page.getByRole("button", { name: /^Model:/ }).click();
  await expect(page.locator("#model-facts")).toContainText("15.3 million");
  await expect(page.locator("#stored")).toContainText("Hearth Tiny");
});
