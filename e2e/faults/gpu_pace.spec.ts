import { expect, test } from "../support/fixtures.ts";
import { slower, withAllowance } from "../support/machine_speed.ts";
import { measured, TIMED } from "../support/measured.ts";

const PAGE = "/e2e/faults/gpu_pace.page.ts";

test("promise 36: no submit of a long prompt is long, and how it is cut changes no bit", TIMED, async ({ harness, browserName }) => {
  const cuts = [{ rows: 32, submits: 1 }, { rows: 48, submits: 3 }];
  // On SwiftShader a second load compiles for long; which rows share a dispatch is no matter of the browser.
  if (browserName === "firefox") expect(await harness.run<number[]>(PAGE, "differingBits", cuts)).toEqual([0, 0]);
  const times = () => harness.run<{ promptTokens: number; submits: number[] }>(PAGE, "submitTimes", 240);
  const { result: { promptTokens, submits }, allowance } = await withAllowance(harness, times);
  submits.sort((a, b) => a - b);
  const [p50, p99, longest] = [0.5, 0.99, 1].map((share) => Math.round(submits[Math.min(submits.length - 1, Math.floor(share * submits.length))]));
  // Firefox notices the ends of a chunk's submits together, so that only their number tells there.
  measured(`${promptTokens} prompt tokens in ${submits.length} submits: p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms, as ${browserName} notices their ends; ${slower(allowance)}`);
  expect(promptTokens).toBeGreaterThan(240);
  expect(submits.length).toBeGreaterThan(promptTokens / 64);
  if (browserName === "chromium") expect(longest).toBeLessThan(Math.min(500 * allowance, 2000)); // at two seconds drivers reset a GPU
});
