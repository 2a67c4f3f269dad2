import { expect, test } from "../support/fixtures.ts";
import type { Conversation } from "./sample.page.ts";

const PAGE = "/e2e/kernels/sample.page.ts";
const FIRST_POSITION = 17;

test("eight sequences with options of their own sample what the CPU samples, and a schedule changes nothing", async ({ harness }) => {
  const found = await harness.run<Conversation>(PAGE, "conversation", { schedule: "processor", steps: 50 });
  expect(found.surprises).toEqual([]);
  expect(found.contradictions).toEqual([]);
  expect(found.logitError).toBeLessThan(1e-5);
  const inParts = await harness.run<Conversation>(PAGE, "conversation", { schedule: "gpu", steps: 12, bindingLimit: 256 * 2048 });
  expect(inParts.surprises).toEqual([]);
  expect(inParts.contradictions).toEqual([]);
  expect(inParts.tokenIds).toEqual(found.tokenIds.map((tokenIds) => tokenIds.slice(0, 12)));
});

test("one sequence samples what the CPU samples where a lane takes a block of its inputs", async ({ harness }) => {
  const sequences = [{ slot: 0, options: { temperature: 0, repetitionPenalty: 1.3 } }];
  const found = await harness.run<Conversation | undefined>(PAGE, "conversation", { schedule: "floats", steps: 20, sequences, bindingLimit: 256 * 2048 });
  test.skip(!found, "this adapter has no subgroups of one width");
  expect(found).toMatchObject({ surprises: [], contradictions: [] });
  expect(found?.logitError).toBeLessThan(1e-5);
});

test("of equal logits the lowest token id wins, and all that tie at a limit may be drawn", async ({ harness }) => {
  const { found, expected } = await harness.run<{ found: number[][]; expected: number[][] }>(PAGE, "ties");
  expect(found).toEqual(expected);
  expect(new Set(found[0])).toEqual(new Set([41]));
  expect(new Set(found[1])).toEqual(new Set([5, 6, 10, 300, 301, 1002]));
  expect(new Set(found[3])).toEqual(new Set([0]));
});

test("a stop token or the limit ends a sequence, work queued behind its end does nothing, and the ring wraps", async ({ harness }) => {
  const { counts, rows, ring } = await harness.run<{ counts: number[]; rows: number[][]; ring: number[] }>(PAGE, "endings");
  expect(counts).toEqual([1, 1, 3, 260]);
  expect(rows.slice(0, 3)).toEqual([
    [2, FIRST_POSITION + 1, 8, 0],
    [0, FIRST_POSITION + 1, 8, 0],
    [1, FIRST_POSITION + 3, 8, 0],
  ]);
  expect(rows[3].slice(0, 2)).toEqual([5, FIRST_POSITION + 260]);
  expect(rows[3][3]).toBe(1);
  expect(ring, "differences from the CPU's tokens").toEqual([0, 0, 0, 0, 0, 0]);
});
