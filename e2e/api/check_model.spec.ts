import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

type PageModule = typeof import("./check_model.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/api/check_model.page.ts";

test("a check tells what a model takes, and neither loads nor stores it", async ({ harness }) => {
  const { before, storedByLooking, info, after } = await harness.run<Outcome<"checkAndLoad">>(PAGE, "checkAndLoad");
  expect(storedByLooking).toEqual([]);
  expect(before).toMatchObject({ id: info.id, fits: "yes", reasons: [], modelType: "qwen3" });
  expect(before.downloadBytes).toBe(10_053_952);
  expect(before.memory).toMatchObject({ weightBytes: info.weightBytes, kvCacheBytes: info.kvCacheBytes, contextLength: info.contextLength });
  expect(after).toMatchObject({ fits: "yes", downloadBytes: 0, memory: before.memory });
});

test("the memory foretold is the memory taken", async ({ harness }) => {
  const { foretold, taken } = await harness.run<Outcome<"foretoldMemory">>(PAGE, "foretoldMemory");
  measured(`foretold ${foretold}, taken ${taken} bytes`);
  expect(foretold).toBe(taken);
});

test("a checkpoint that cannot run is told so, with the reason", async ({ harness }) => {
  const report = await harness.run<Outcome<"checkUnknown">>(PAGE, "checkUnknown");
  expect(report).toMatchObject({ fits: "no", reasons: [expect.stringMatching(/abacus/)], modelType: undefined, downloadBytes: undefined, memory: undefined });
});
