import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";
import type { Sabotage } from "./gpu_self_test.page.ts";

type PageModule = typeof import("./gpu_self_test.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/faults/gpu_self_test.page.ts";
const DROPPED_BLOCK: Sabotage = { kernel: "matmul_vec", from: "block < K / 32u", to: "block < K / 32u - 1u" };
const UNKNOWN_NAME: Sabotage = { kernel: "matmul_vec", from: "block < K / 32u", to: "block < of_a_newer_browser" };
const SABOTAGES: readonly Sabotage[] = [
  DROPPED_BLOCK,
  { kernel: "attention_decode", from: "dots += chunk_dots(head_eight(GROUP, c), c);", to: "" }, // the token does not see itself
  { kernel: "attention_prefill", from: "SCALE *", to: "0.5 * SCALE *" },
];

test.skip(({ browserName }) => browserName === "chromium", "every case compiles all kernels anew, for which SwiftShader takes long");

test("the self-test tells a kernel that computes something else from rounding", async ({ harness }) => {
  const { sound, changed } = await harness.run<Outcome<"pathDifferences">>(PAGE, "pathDifferences", SABOTAGES);
  measured(`paths differ by ${sound.toExponential(1)} when sound; ${changed.map(({ kernel, difference }) => `${kernel} changed: ${difference.toPrecision(2)}`).join("; ")}`);
  expect(sound).toBeLessThan(3e-3);
  for (const { kernel, difference, changed: count } of changed) {
    expect(count, kernel).toBeGreaterThan(0);
    expect(difference, kernel).toBeGreaterThan(0.03);
  }
});

test("a load falls back to a schedule that computes rightly, and refuses a GPU that has none", async ({ harness }) => {
  const { rows, failure } = await harness.run<Outcome<"fallBack">>(PAGE, "fallBack", DROPPED_BLOCK);
  expect(rows).toBe(64);
  expect(failure).toMatch(/^gpu: This GPU computes wrong results/);
});

test.describe("where a kernel does not compile", () => {
  test.use({ expectedErrors: [[/of_a_newer_browser|shader module "matmul_vec/], { scope: "test" }] });

  test("a load falls back to a schedule that does, and tells which kernel it is where none does", async ({ harness }) => {
    const { rows, failure } = await harness.run<Outcome<"fallBack">>(PAGE, "fallBack", UNKNOWN_NAME);
    expect(rows).toBe(64);
    expect(failure).toMatch(/^gpu: Kernel matmul_vec .*does not compile/);
  });
});
