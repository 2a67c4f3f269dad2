import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";
import type { FailedLoads } from "./gpu_memory.page.ts";

const PAGE = "/e2e/faults/gpu_memory.page.ts";

test("promise 34: a GPU out of memory at any allocation is a typed error, and gives everything back", async ({ harness, browserName }) => {
  const every = browserName === "chromium" ? 6 : 1; // SwiftShader is slow to compile what repacks weights
  const { allocations, surprises, liveAfter, logitsAfter } = await harness.run<FailedLoads>(PAGE, "failAllocations", every);
  measured(`${liveAfter.length - 1 - surprises.length} of ${liveAfter.length - 1} failing allocations typed with the bytes asked; live buffers after each: ${Math.max(...liveAfter)}; a model loads afterwards`);
  expect(allocations).toBeGreaterThan(40);
  expect(surprises).toEqual([]);
  expect(new Set(liveAfter)).toEqual(new Set([0]));
  expect(logitsAfter).toBe(3);
});
