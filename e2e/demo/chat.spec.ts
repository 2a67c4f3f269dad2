import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Page } from "@playwright/test";

import { FaultServer } from "../support/fault_server.ts";
import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

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

test("promise 3: where the disk is full, the page asks, and runs a model without keeping it", async ({ page, context, browserName }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugging protocol can lower the quota");
  await using server = await FaultServer.start();
  const folder = fileURLToPath(new URL("../../public/models/hearth-tiny/", import.meta.url));
  server.addFolder(Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(folder + name)])));
  await page.addInitScript(() => localStorage.setItem("hearth-chat-unfinished-loads", "2")); // so that the page loads nothing by itself
  await page.goto("/");
  const session = await context.newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 100_000 }); // too little for its tokenizer, which comes before anything compiles
  await page.getByLabel("Load another").fill(server.url);
  await page.keyboard.press("Enter");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText(/no room left.*uses \d+ MB and may use up to \d+ MB/, FIRST);
  await alert.getByRole("button", { name: "Remove kept models" }).click();
  await expect(page.getByText("Kept in this browser")).toBeVisible();
  await page.keyboard.press("Escape");
  await set(page, { "Longest answer, in tokens": "20" });
  await alert.getByRole("button", { name: "Load it without keeping it" }).click();
  await expectReady(page);
  await ask(page, "Tell me a story about a fox named Pip.");
  await expect(page.locator(".facts")).toContainText("20 tokens", FIRST);
  measured("the page offers to remove models, or to load without keeping; the latter then answers with 20 tokens");
});
