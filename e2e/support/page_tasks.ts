import type { Page } from "@playwright/test";

/** One event of Chromium's trace, of which these fields are read; times are in microseconds. */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Of the thread's own CPU time. */
  tdur?: number;
}

const CATEGORIES = ["disabled-by-default-devtools.timeline", "blink.user_timing"]; // of tasks, and of the page's own marks
const MARK = "hearth-page-tasks";

/**
 * Milliseconds of CPU time that each task of a page's main thread took while `work` ran, by Chromium's trace. The Long
 * Tasks API tells wall time, and so of whatever else the machine's cores were busy with.
 */
export async function cpuTimesOfTasks(page: Page, work: () => Promise<unknown>): Promise<number[]> {
  const browser = page.context().browser()!; // a persistent context alone has none, and no spec opens one here
  await browser.startTracing(page, { categories: CATEGORIES });
  let trace: Buffer;
  try {
    await page.evaluate((mark) => void performance.mark(mark), MARK);
    await work();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }; // the format of Chromium's own trace viewer
  const mark = traceEvents.find(({ name }) => name === MARK);
  if (mark === undefined) throw new Error(`the trace of ${traceEvents.length} events was expected to hold the page's mark, and does not`);
  return traceEvents
    .filter(({ name, pid, tid, tdur }) => name === "RunTask" && pid === mark.pid && tid === mark.tid && tdur !== undefined)
    .map(({ tdur = 0 }) => tdur / 1000);
}
