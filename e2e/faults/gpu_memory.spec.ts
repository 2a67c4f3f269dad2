import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";
import type { FailedLoads, switchModels } from "./gpu_memory.page.ts";

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

test("promise 37: unloading frees every buffer, model after model", async ({ harness, browserName }) => {
  test.skip(browserName === "chromium", "SwiftShader compiles every model's kernels for ten seconds; e2e/long counts the memory of its process");
  const cycles = 5;
  const { liveLoaded, liveUnloaded } = await harness.run<Awaited<ReturnType<typeof switchModels>>>(PAGE, "switchModels", cycles);
  measured(`${cycles} models one after another: up to ${Math.max(...liveLoaded)} live buffers while loaded, ${Math.max(...liveUnloaded)} after each unload`);
  expect(Math.min(...liveLoaded)).toBeGreaterThan(20);
  expect(liveUnloaded).toEqual(Array.from({ length: cycles }, () => 0));
});
