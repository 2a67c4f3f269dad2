import { expect, test } from "@playwright/test";

import { PrefillPace } from "../../src/engine/prefill_pace.ts";

test("the first chunk is small, and every layer of it a submit of its own", () => {
  const pace = new PrefillPace(512, 28);
  expect([pace.rows, pace.submitsFor(64)]).toEqual([64, 28]);
});

test("a fast GPU gets whole chunks in one submit", () => {
  const pace = new PrefillPace(512, 28);
  pace.note(64, 4);
  expect([pace.rows, pace.submitsFor(512)]).toEqual([512, 1]);
});

test("a slow GPU gets chunks of half a second, in submits of 40 ms", () => {
  const pace = new PrefillPace(512, 28);
  pace.note(64, 128);
  expect([pace.rows, pace.submitsFor(192)]).toEqual([192, 10]);
  pace.note(192, 3840);
  expect([pace.rows, pace.submitsFor(64)]).toEqual([64, 32]);
});

test("a chunk of few rows says nothing about the speed of many", () => {
  const pace = new PrefillPace(512, 28);
  pace.note(64, 8);
  pace.note(3, 30);
  expect(pace.rows).toBe(512);
});
