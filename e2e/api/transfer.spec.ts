import { expect, test } from "../support/fixtures.ts";

const PAGE = "/e2e/api/transfer.page.ts";

interface Counter {
  made: number;
  ended: boolean;
  aborted: boolean;
}

test("a generation arrives whole and in order, with its result", async ({ harness }) => {
  const { text, finishReason, counter } = await harness.run<{ text: string; finishReason: string; counter: Counter }>(PAGE, "readAll", 100);
  expect(text.trim().split(" ").map(Number)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(finishReason).toBe("length");
  expect(counter).toEqual({ made: 100, ended: true, aborted: false });
});

test("a slow reader pauses the engine, and can end it while it is paused", async ({ harness }) => {
  const { madeWhilePaused, counter } = await harness.run<{ madeWhilePaused: number; counter: Counter }>(PAGE, "readSlowly");
  expect(madeWhilePaused).toBe(32);
  expect(counter.made).toBeLessThanOrEqual(34);
  expect(counter.ended).toBe(true);
});

test("leaving the loop stops the engine", async ({ harness }) => {
  const counter = await harness.run<Counter>(PAGE, "leaveLoop");
  expect(counter.ended).toBe(true);
  expect(counter.made).toBeLessThan(50);
});

test("an abort rejects with the signal's own reason and stops the engine", async ({ harness }) => {
  const { isReason, name, counter } = await harness.run<{ isReason: boolean; name: string; counter: Counter }>(PAGE, "abortMidway");
  expect([isReason, name]).toEqual([true, "AbortError"]);
  expect(counter).toMatchObject({ ended: true, aborted: true });
});

test("errors keep class, code, message, stack and cause", async ({ harness }) => {
  expect(await harness.run(PAGE, "roundTripErrors")).toEqual({
    hearth: [true, "corrupt-checkpoint", "model: expected 4, found 3", true],
    cause: [true, "inner", "innermost"],
    abort: [true, "AbortError", "stopped"],
    type: [true, "TypeError", "not a function"],
    text: "a string",
  });
});

test("callers take turns in order; one may give up, and one too many is refused", async ({ harness }) => {
  expect(await harness.run(PAGE, "queue")).toEqual(["too many: busy", "second: AbortError", "first", "third", "fourth"]);
});
