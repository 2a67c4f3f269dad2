import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

type PageModule = typeof import("./life_threads.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/faults/life_threads.page.ts";
const PENDING = 5;

test("promise 41: pending calls settle however their worker ends, and another worker answers", async ({ harness }) => {
  const endings = await harness.run<Outcome<"endWorkers">>(PAGE, "endWorkers", ["terminate", "throw", "close", "loop", "loop, watched"]);
  for (const { end, failures, next } of endings) {
    const code = end === "loop" ? "unloaded" : "worker-failed"; // a worker that loops is ended by unloading it
    expect({ end, failures, next }).toEqual({ end, failures: Array.from({ length: PENDING }, () => code), next: "[]" });
  }
  measured(endings.map(({ end, settledAfterMs }) => `${end}: ${PENDING} calls settled after ${Math.round(settledAfterMs)} ms`).join("; "));
  for (const { settledAfterMs, endedAfterMs } of endings) {
    expect(settledAfterMs).toBeLessThan(5000);
    expect(endedAfterMs).toBeLessThan(7000); // a worker that loops gets five seconds to say goodbye
  }
});

test("promise 41: a worker that is busy for some seconds is not taken for one that loops", async ({ harness }) => {
  expect(await harness.run<Outcome<"callBusyWorker">>(PAGE, "callBusyWorker", 3000)).toBe("[]");
});

test.describe("a page that forbids workers", () => {
  test.use({ expectedErrors: [/Content.Security.Policy|worker-src/i] }); // the browser's own report

  test("promise 41: is told the directive that a worker needs", async ({ harness }) => {
    const { code, message, settledAfterMs } = await harness.run<Outcome<"callForbiddenWorker">>(PAGE, "callForbiddenWorker");
    measured(`typed after ${Math.round(settledAfterMs)} ms`);
    expect(code).toBe("worker-failed");
    expect(message).toMatch(/worker-src/);
    expect(settledAfterMs).toBeLessThan(5000);
  });
});

test("promise 42: errors keep their meaning across threads", async ({ harness }) => {
  const { codes, differences, others } = await harness.run<Outcome<"sendErrors">>(PAGE, "sendErrors");
  measured(`${codes - differences.length} of ${codes} codes keep class, code, message, details, retryable, stack and cause`);
  expect(differences).toEqual([]);
  expect(others).toEqual(["DOMException AbortError: stopped", "RangeError RangeError: far (text)", "Error GPUValidationError: bad binding", "Error GPUOutOfMemoryError: too large"]);
});

test("promise 44: no more than 64 tokens wait for a slow reader", async ({ harness }) => {
  const waiting = [await harness.run<number>(PAGE, "readOneChunk", 1), await harness.run<number>(PAGE, "readOneChunk", 16)];
  measured(`${waiting[0]} tokens wait in chunks of 1, ${waiting[1]} in chunks of 16`);
  for (const tokens of waiting) {
    expect(tokens).toBeGreaterThan(0);
    expect(tokens).toBeLessThanOrEqual(64);
  }
});
