import { FaultServer } from "../support/fault_server.ts";
import { test as base } from "../support/fixtures.ts";
import type { ReadRequest, Reading } from "./storage.page.ts";

/** The page module that reads through the storage code. */
export const PAGE = "/e2e/faults/storage.page.ts";
export const MEBIBYTE = 2 ** 20;
/** Retries without the waiting. */
export const QUICK = { attempts: 8, baseDelayMs: 1, stallMs: 2000 };

interface Fixtures {
  server: FaultServer;
  /** Read files in a worker of the page, where chunks are stored as files, and report. */
  read(request: ReadRequest): Promise<Reading>;
  /** Read files in the page itself, where chunks are stored in the database. */
  readInPage(request: ReadRequest): Promise<Reading>;
  /** Write down a number that the promise speaks of. */
  measured(text: string): void;
}

/** Playwright's `test` with a server that misbehaves, and a page that reads from it; failed requests are expected. */
export const test = base.extend<Fixtures>({
  expectedErrors: [[/Failed to load resource|Cross-Origin Request Blocked|CORS policy|NS_ERROR|net::ERR/], { scope: "test" }],

  server: async ({}, use) => {
    const server = await FaultServer.start();
    await use(server);
    await server[Symbol.asyncDispose]();
  },

  read: async ({ harness }, use) => {
    await use((request) => harness.runInWorker<Reading>(PAGE, "readFiles", { retry: QUICK, ...request }));
  },

  readInPage: async ({ harness }, use) => {
    await use((request) => harness.run<Reading>(PAGE, "readFiles", { retry: QUICK, ...request }));
  },

  measured: async ({}, use, testInfo) => {
    await use((text) => testInfo.annotations.push({ type: "measured", description: text }));
  },
});
