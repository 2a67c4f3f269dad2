import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures.ts";

const FAKE_ENGINE = readFileSync(new URL("./fake_engine.js", import.meta.url), "utf8");

async function open(page: Page, query = ""): Promise<void> {
  await page.route("**/src/index.ts*", (route) => route.fulfill({ contentType: "text/javascript", body: FAKE_ENGINE }));
  await page.goto(`/${query}`);
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

const answers = (page: Page) => page.locator(".answer");

test("an answer shows its text and its facts", async ({ page }) => {
  await open(page);
  await ask(page, "hello <b>you</b>");
  await expect(answers(page)).toContainText("hello <b>you</b> (1 messages)");
  await expect(answers(page)).toContainText("84.2 tokens/s");
  await expect(answers(page)).toContainText("first token in 12 ms");
  expect(await page.locator(".prose b").count()).toBe(0);
});

test("Shift+Enter makes a new line, Enter sends, Escape stops and keeps the text", async ({ page }) => {
  await open(page);
  const field = page.getByLabel("Message", { exact: true });
  await field.fill("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await expect(field).toHaveValue("one\ntwo");
  await ask(page, "long");
  await expect(answers(page)).toContainText("word word word");
  await page.keyboard.press("Escape");
  await expect(answers(page)).toContainText("stopped");
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible();
});

test("a message that is sent before the model is ready waits for it", async ({ page }) => {
  let sendWeights = () => {};
  const sent = new Promise<void>((resolve) => (sendWeights = resolve));
  await page.route("**/fake-weights", async (route) => sent.then(() => route.fulfill()));
  await open(page, "?slow");
  await ask(page, "hello");
  await expect(page.getByText("It will be sent when the model is ready.")).toBeVisible();
  sendWeights();
  await expect(answers(page)).toContainText("hello (1 messages)");
  await expect(page.getByLabel("Message", { exact: true })).toHaveValue("");
});

test("a reader who scrolled up is left there, and can jump to the latest words", async ({ page }) => {
  await open(page);
  await ask(page, "long");
  const scroller = page.locator("#scroller");
  const top = () => scroller.evaluate((element) => element.scrollTop);
  const length = async () => (await answers(page).innerText()).length;
  await expect.poll(top).toBeGreaterThan(100);
  await scroller.hover();
  await page.mouse.wheel(0, -4000);
  const jump = page.getByRole("button", { name: "Latest" });
  await expect(jump).toBeVisible();
  const movedWhileGrowing = async () => {
    const [before, grownFrom] = [await top(), await length()];
    await expect.poll(length).toBeGreaterThan(grownFrom + 100);
    return (await top()) - before;
  };
  await expect.poll(movedWhileGrowing).toBe(0); // not at once: Firefox glides to where the wheel sent it
  await jump.click();
  await expect(jump).toBeHidden();
  await page.getByRole("button", { name: "Stop" }).click();
});

test("a long conversation drops its oldest turns and says so", async ({ page }) => {
  await open(page, "?context=80");
  for (const text of ["first", "second", "third", "fourth"]) {
    await ask(page, text);
    await expect(answers(page).last()).toContainText(`${text} (`);
  }
  await expect(page.getByText("This model holds 80 tokens.")).toBeVisible();
  await expect(answers(page).last()).toContainText("fourth (3 messages)");
  await expect(page.locator(".turn.forgotten")).toHaveCount(2);
});

test("after a lost device the way out loads the model and answers again", async ({ page }) => {
  await open(page);
  await ask(page, "crash");
  await expect(page.getByRole("alert")).toContainText("The graphics card went away");
  await page.getByRole("button", { name: "Load the model again" }).click();
  await expect(answers(page)).toContainText("crash (1 messages)");
});

test("a load shows bytes, speed and time left, and can be cancelled", async ({ page }) => {
  await open(page);
  await chooseModel(page, "org/big");
  await expect(page.locator("#loading")).toContainText(/\d+ MB of 1\.0 GB/);
  await expect(page.locator("#loading")).toContainText(/MB\/s, \d+ s left/);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("alert")).toContainText("No model is loaded");
  await page.getByRole("button", { name: "Use the bundled model" }).click();
  await ask(page, "hello");
  await expect(answers(page)).toContainText("hello (1 messages)");
});

test("a model that cannot run is explained, and another can be chosen", async ({ page }) => {
  await open(page);
  await chooseModel(page, "https://huggingface.co/org/odd");
  await expect(page.getByRole("alert")).toContainText(`model_type "odd" is not known`);
  await page.getByRole("button", { name: "Choose another model" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
});

test("promise 9: what the page says of keeping models is true", async ({ page }) => {
  const answers: [persisted: string, words: RegExp | ""][] = [["async () => true", ""], ["async () => false", /may be removed by the browser/i], ["undefined", /may be removed by the browser/i]];
  await open(page);
  for (const [persisted, words] of answers) {
    await page.evaluate(`Object.defineProperty(navigator.storage, "persisted", { configurable: true, value: ${persisted} })`);
    await page.getByRole("button", { name: /^Model:/ }).click();
    await expect(page.locator("#stored")).toContainText("12 MB");
    await expect(page.locator("#stored-note")).toHaveText(words);
    await page.keyboard.press("Escape");
  }
});

test("stored models are listed with their size, and can be removed", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: /^Model:/ }).click();
  await expect(page.locator("#stored")).toContainText("12 MB");
  await page.getByRole("button", { name: "Remove kept from this browser" }).click();
  await expect(page.locator("#stored")).not.toContainText("12 MB");
});

test("an older version of the bundled model is removed, but not another site's", async ({ page }) => {
  await open(page);
  await expect(page.locator("[data-phase=ready]")).toBeVisible();
  await page.getByRole("button", { name: /^Model:/ }).click();
  await expect(page.locator("#stored")).toContainText("8.0 MB");
  await expect(page.locator("#stored")).not.toContainText("9.0 MB");
});

test("a browser without WebGPU gets an explanation, not an error", async ({ page }) => {
  await open(page, "?no-webgpu");
  await expect(page.getByRole("heading", { name: "This browser cannot light the fire" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Send" })).toBeDisabled();
});

for (const width of [360, 1280]) {
  test(`nothing sticks out at ${width} px, and the policy blocks nothing that the page needs`, async ({ page }) => {
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.setViewportSize({ width, height: 700 });
    await open(page);
    await ask(page, "```js " + "x".repeat(300));
    await expect(page.locator(".facts")).not.toBeEmpty();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    expect(complaints).toEqual([]);
  });
}

async function chooseModel(page: Page, source: string): Promise<void> {
  await expect(page.locator("[data-phase=ready]")).toBeVisible();
  await page.getByRole("button", { name: /^Model:/ }).click();
  await page.getByLabel("Load another").fill(source);
  await page.keyboard.press("Enter");
}
