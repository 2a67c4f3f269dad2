import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test as base } from "@playwright/test";
import type { ConsoleMessage, Page } from "@playwright/test";

const realAssets = fileURLToPath(new URL("../../../shared/assets/", import.meta.url));

/** Runs exports of the project's modules in a page. */
export interface Harness {
  readonly page: Page;
  /** Call an export of a page module, a "*.page.ts" named by its path from the project's root, in the page. */
  run<T>(modulePath: string, exportName: string, argument?: unknown): Promise<T>;
  /** The same in a fresh worker of the page, as the engine has one; only modules that harness.worker.ts lists. */
  runInWorker<T>(modulePath: string, exportName: string, argument?: unknown): Promise<T>;
}

interface Fixtures {
  /** Errors that a test means to provoke; any other error on the console, or uncaught, fails the test. */
  expectedErrors: RegExp[];
  harness: Harness;
  /**
   * A page that one file's tests share: what one loads, the next finds. For files whose tests run in order, by
   * `test.describe.configure({ mode: "default" })`.
   */
  sharedHarness: Harness;
}

interface WorkerFixtures {
  sharedPage: { page: Page; openedBy?: string };
}

/** Playwright's `test`, in whose pages every unexpected error is a failure. */
export const test = base.extend<Fixtures, WorkerFixtures>({
  expectedErrors: [[], { option: true }],

  page: async ({ page, expectedErrors }, use) => {
    const errors = watchErrors(page, expectedErrors);
    await use(page);
    expect(errors.found, "errors on the page's console").toEqual([]);
  },

  harness: async ({ page }, use) => {
    await use(await openHarness(page));
  },

  sharedPage: [async ({ browser }, use, { project }) => {
    const page = await browser.newPage({ baseURL: project.use.baseURL });
    await use({ page });
    await page.close();
  }, { scope: "worker" }],

  sharedHarness: async ({ sharedPage, expectedErrors }, use, { file }) => {
    const { page, openedBy } = sharedPage;
    const errors = watchErrors(page, expectedErrors);
    sharedPage.openedBy = file;
    await use(file === openedBy ? harnessIn(page) : await openHarness(page));
    errors.stop();
    expect(errors.found, "errors on the page's console").toEqual([]);
  },
});

/** Open the page that runs module code in a tab. */
export async function openHarness(page: Page): Promise<Harness> {
  await page.goto("/e2e/support/harness.html");
  await page.waitForFunction(() => "run" in window);
  return harnessIn(page);
}

/** What runs module code in a page that `openHarness` opened. */
export function harnessIn(page: Page): Harness {
  return {
    page,
    run: <T>(modulePath: string, exportName: string, argument?: unknown) =>
      page.evaluate(([path, name, value]) => window.run(path, name, value), [modulePath, exportName, argument] as const) as Promise<T>, // T: by the caller's word
    runInWorker: <T>(modulePath: string, exportName: string, argument?: unknown) =>
      page.evaluate(([path, name, value]) => window.runInWorker(path, name, value), [modulePath, exportName, argument] as const) as Promise<T>, // as above
  };
}

/** Collect errors on a page's console and uncaught ones, but for those that are expected. */
function watchErrors(page: Page, expectedErrors: readonly RegExp[]): { found: string[]; stop(): void } {
  const found: string[] = [];
  const note = (text: string) => {
    if (!expectedErrors.some((expected) => expected.test(text))) found.push(text);
  };
  const onConsole = (message: ConsoleMessage) => {
    if (message.type() === "error" && !isMissingOptionalFile(message)) note(message.text());
  };
  const onError = (error: Error) => note(`uncaught: ${error.stack ?? error.message}`);
  page.on("console", onConsole);
  page.on("pageerror", onError);
  return { found, stop: () => void page.off("console", onConsole).off("pageerror", onError) };
}

/** Chromium reports every 404 as an error, also of files that a checkpoint need not have. */
function isMissingOptionalFile(message: ConsoleMessage): boolean {
  return /404/.test(message.text()) && /\/(hearth\.json|model\.safetensors\.index\.json|chat_template\.jinja|\w+_config\.json|chat_template\.json)(\?|$)/.test(message.location().url);
}

export { expect };

/** URL of a file or folder of real assets on the test server, or undefined where they are absent: skip the test then. */
export function shared(path: string): string | undefined {
  return existsSync(realAssets + path) ? `/@shared/${path}` : undefined;
}
