import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures.ts";
import { measured, TIMED } from "../support/measured.ts";
import { cpuTimesOfTasks } from "../support/page_tasks.ts";
import { largestRenderer } from "../support/process_memory.ts";

type PageModule = typeof import("./life_session.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/faults/life_session.page.ts";
const CALLS = 40;
const SLOW = "dozens of answers take SwiftShader a minute; whose turn it is is no matter of the browser";
const FROZEN_MS = 1500;
const isLong = process.env.HEARTH_LONG !== undefined;
const ADMITTED = 33; // one that is answered, and 32 that wait

test.describe.configure({ mode: "default" }); // one loaded model for all

test("promise 47: the page stays smooth while a model loads and answers", TIMED, async ({ sharedHarness, browserName }) => {
  test.skip(browserName !== "chromium", "only Chromium traces the CPU time of tasks");
  const tasks = await cpuTimesOfTasks(sharedHarness.page, () => sharedHarness.run(PAGE, "open"));
  const longest = Math.max(...tasks);
  measured(`${tasks.length} tasks of the page, the longest ${longest.toFixed(0)} ms of CPU time`);
  expect(tasks.length).toBeGreaterThan(100); // progress and text arrived as tasks of this thread
  expect(longest).toBeLessThan(50);
});

test.describe("a loaded model", () => {
  test.beforeEach(({ sharedHarness }) => sharedHarness.run(PAGE, "open"));

  test("promise 43: the queue is fair and bounded, and giving up one's place changes no other answer", async ({ sharedHarness, browserName }) => {
    test.skip(browserName === "chromium", SLOW);
    const { outcomes, order } = await sharedHarness.run<Outcome<"callOften">>(PAGE, "callOften", CALLS);
    const refused = outcomes.filter((outcome) => outcome === "busy, retryable").length;
    measured(`of ${CALLS} calls at once ${outcomes.filter((outcome) => outcome === "right").length} answered alike, ${refused} refused with "busy"`);
    expect(refused).toBe(CALLS - ADMITTED);
    expect(outcomes.filter((outcome) => outcome === "AbortError")).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === "right")).toHaveLength(ADMITTED - 2);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test("promise 40: an abort stops at once, and leaves nothing behind", async ({ sharedHarness, browserName }) => {
    test.skip(browserName === "chromium", SLOW);
    const times = isLong ? 200 : 50;
    test.setTimeout(300_000);
    const { stepMs, outcomes, rejectedMs, freeMs, undisturbedMs, after, reference } = await sharedHarness.run<Outcome<"abortOften">>(PAGE, "abortOften", times);
    const p95 = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(0.95 * values.length)];
    measured(`${times} aborts: the call rejects after ${p95(rejectedMs).toFixed(1)} ms (p95); the next call has its first token after ${p95(freeMs).toFixed(0)} ms (p95), alone after ${undisturbedMs.toFixed(0)} ms; a step takes ${stepMs.toFixed(0)} ms`);
    expect(outcomes).toEqual(["AbortError"]);
    expect(p95(rejectedMs)).toBeLessThan(stepMs + 100);
    expect(after).toBe(reference);
  });

  test("promise 45: many answers leave nothing behind", async ({ sharedHarness, browserName }) => {
    const often = isLong ? { times: 1000, maxTokens: 32 } : { times: 100, maxTokens: 1 };
    test.setTimeout(isLong ? 3_600_000 : 300_000); // SwiftShader takes more than half a second for each
    const heap = browserName === "chromium" ? await heapMeter(sharedHarness.page) : undefined;
    const before = await heap?.();
    const buffers = await sharedHarness.run<Outcome<"generateOften">>(PAGE, "generateOften", often);
    const after = await heap?.();
    const growth = before === undefined || after === undefined ? undefined : after - before;
    measured(`${often.times} answers: live GPU buffers ${buffers.before} before, ${buffers.after} after${growth === undefined ? "" : `; the page's heap grew by ${Math.round(growth / 1000)} kB`}`);
    expect(buffers.before).toBeGreaterThan(50);
    expect(buffers.after).toBe(buffers.before);
    if (growth !== undefined) expect(growth).toBeLessThan(2e6);
  });

  test("promise 48: an answer is whole after page and worker stood still in the middle of it", async ({ sharedHarness }) => {
    const renderer = largestRenderer();
    test.skip(renderer === undefined, "the browser's processes are found in /proc");
    const options = { maxTokens: 32 };
    await sharedHarness.run(PAGE, "beginAnswer", options);
    process.kill(renderer!.id, "SIGSTOP"); // as a system does to a page in the background; a headless page is never hidden
    await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
    process.kill(renderer!.id, "SIGCONT");
    const { text, expected, longestGapMs, resumedMs } = await sharedHarness.run<Outcome<"endAnswer">>(PAGE, "endAnswer", options);
    measured(`text identical after the page stood still for ${Math.round(longestGapMs)} ms; whole ${Math.round(resumedMs)} ms after its return`);
    expect(longestGapMs).toBeGreaterThan(FROZEN_MS / 2); // it was frozen indeed
    expect(text).toBe(expected);
  });
});

/** Bytes of the page's heap after a collection. */
async function heapMeter(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
}
