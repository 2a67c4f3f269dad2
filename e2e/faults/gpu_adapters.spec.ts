import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";

type PageModule = typeof import("./gpu_adapters.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/faults/gpu_adapters.page.ts";

test("promise 30: a browser or machine that cannot run Hearth is told why, and what to do", async ({ harness }) => {
  const openings = await harness.run<Outcome<"openUnsupported">>(PAGE, "openUnsupported");
  const { "as it is": asItIs, "no optional feature": plain, "no adapter": noAdapter, ...refused } = openings;
  expect([asItIs.code, plain.code]).toEqual(["opened", "opened"]);
  for (const [name, { code, message }] of Object.entries({ ...refused, noAdapter })) {
    expect({ name, code }).toEqual({ name, code: "no-webgpu" });
    expect(message, name).toMatch(/Use |Serve |Restart |update /); // the way out
  }
  expect(openings["insecure page"].message).toMatch(/https/);
  measured(Object.entries(openings).map(([name, { ms }]) => `${name}: ${Math.round(ms)} ms`).join("; "));
  for (const { ms } of Object.values(refused)) expect(ms).toBeLessThan(300);
  expect(noAdapter.ms).toBeLessThan(2000); // it is asked for a second, because a browser that replaces its GPU process has none for a moment
});

test("promise 31: a model runs within WebGPU's minimum limits, its tensors in parts", async ({ harness, browserName }) => {
  test.skip(browserName === "chromium", "two loads compile for half a minute on SwiftShader; each kernel runs within these limits in e2e/kernels/limits.spec.ts");
  const bindingBytes = 512 * 1024;
  const { difference, features, largestBuffer } = await harness.run<Outcome<"minimumLimits">>(PAGE, "minimumLimits", bindingBytes);
  measured(`logits differ by ${difference.toExponential(1)} of their spread; tensors up to ${largestBuffer} bytes in bindings of ${bindingBytes}; no features, no raised limits`);
  expect(features.filter((name) => name !== "core-features-and-limits")).toEqual([]);
  expect(largestBuffer).toBeLessThanOrEqual(bindingBytes);
  expect(difference).toBeLessThan(1e-3);
});
