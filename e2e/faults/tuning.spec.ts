import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

type PageModule = typeof import("./tuning.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/faults/tuning.page.ts";

test.skip(({ browserName }) => browserName === "chromium", "every case compiles all kernels anew, for which SwiftShader takes long");

test("a first load takes the fastest cut that computes rightly, and a second one takes it without measuring", async ({ harness }) => {
  const { first, second, hurried } = await harness.run<Outcome<"chooseAndKeep">>(PAGE, "chooseAndKeep");
  // Six cuts differ from the usual one of four threads and 16 rows; the two of eight threads are fast and wrong.
  expect(first.checks).toBe(7);
  expect(first.result.choice).toMatchObject({ origin: "measured", workgroup: 4, rowsPerThread: 32, timed: 4 });
  expect(first.result.choice.gain).toBeGreaterThan(0.03);
  expect(first.result.runs).toBe(32);
  const { gain, tuneMs, ...kept } = first.result.choice;
  expect(second.result.choice).toEqual({ ...kept, gain, origin: "kept" });
  expect(tuneMs).toBeGreaterThan(0);
  expect(second.result.runs).toBe(32);
  expect(second.checks + second.timings).toBe(0);
  expect(hurried.result.choice).toMatchObject({ origin: "usual", rowsPerThread: 16 }); // nothing was ready in time
  measured(`the cut of 32 rows saves ${Math.round(100 * (gain ?? 0))} % where the others are slowed; ${first.timings} passes timed, 0 by the second load`);
});

test("a device that replaces a lost one is not measured again", async ({ harness }) => {
  const { before, after } = await harness.run<Outcome<"loseTunedDevice">>(PAGE, "loseTunedDevice");
  expect(before.origin).toBe("measured");
  expect(before.timings).toBeGreaterThan(0);
  expect(after).toEqual({ origin: "measured", timings: 0 });
});

test("a load whose tuning fails runs as usual", async ({ harness }) => {
  const warnings: string[] = [];
  harness.page.on("console", (message) => void (message.type() === "warning" && warnings.push(message.text())));
  const { choice, runs, checks, fault } = await harness.run<Outcome<"failToTune">>(PAGE, "failToTune");
  expect(checks).toBeGreaterThan(0);
  expect(choice).toMatchObject({ origin: "usual", rowsPerThread: 16 });
  expect(runs).toBe(16);
  expect(fault).toBeUndefined();
  expect(warnings.filter((text) => text.includes("could not be tuned"))).toHaveLength(1);
});

test("passes are timed by the GPU's clock where there is one", async ({ harness }) => {
  const { hasQueries, best, wall } = await harness.run<Outcome<"clocks">>(PAGE, "clocks");
  expect(best.clock).toBe(hasQueries ? "timestamp-query" : "wall");
  expect(best.milliseconds[0]).toBeGreaterThan(best.milliseconds[1]);
  expect(wall.clock).toBe("wall");
  expect(wall.milliseconds[0]).toBeGreaterThan(0);
  measured(`one pass took ${best.milliseconds[0].toFixed(2)} ms by ${best.clock}, ${wall.milliseconds[0].toFixed(2)} ms by the page's clock`);
});
