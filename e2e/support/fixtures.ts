import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test as base } from "@playwright/test";
import type { ConsoleMessage, Page } from "@playwright/test";

const realAssets = fileURLToPath(new URL("../../../shared/assets/", import.meta.url));

/** Runs exports of the project's modules in a page. */
export interface Harness {
  readonly page: Page;
  /** Import a module by its path from the project's root ("/src/...") and call one of its exports in the page. */
  run<T>(modulePath: string, exportName: string, argument?: unknown): Promise<T>;
}

interface Fixtures {
  /** Errors that a test means to provoke; any other error on the console, or uncaught, fails the test. */
  expectedErrors: RegExp[];
  harness: Harness;
}

/** Playwright's `test`, in whose pages every unexpected error is a failure. */
export const test = base.extend<Fixtures>({
  expectedErrors: [[], { option: true }],

  page: async ({ page, expectedErrors }, use) => {
    const errors: string[] = [];
    const note = (text: string) => {
      if (!expectedErrors.some((expected) => expected.test(text))) errors.push(text);
    };
    page.on("console", (message) => {
      if (message.type() === "error" && !isMissingOptionalFile(message)) note(message.text());
    });
    page.on("pageerror", (error) => note(`uncaught: ${error.stack ?? error.message}`));
    await use(page);
    expect(errors, "errors on the page's console").toEqual([]);
  },

  harness: async ({ page }, use) => {
    await page.goto("/e2e/support/harness.html");
    await page.waitForFunction(() => "run" in window);
    await use({
      page,
      run: <T>(modulePath: string, exportName: string, argument?: unknown) =>
        page.evaluate(([path, name, value]) => window.run(path, name, value), [modulePath, exportName, argument] as const) as Promise<T>, // T: by the caller's word
    });
  },
});

/** Chromium reports every 404 as an error, also of files that a checkpoint need not have. */
function isMissingOptionalFile(message: ConsoleMessage): boolean {
  return /404/.test(message.text()) && /\/(hearth\.json|model\.safetensors\.index\.json|chat_template\.jinja|\w+_config\.json|chat_template\.json)(\?|$)/.test(message.location().url);
}

export { expect };

/** URL of a file or folder of real assets on the test server, or undefined where they are absent: skip the test then. */
export function shared(path: string): string | undefined {
  return existsSync(realAssets + path) ? `/@shared/${path}` : undefined;
}
