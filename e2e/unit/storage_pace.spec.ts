import { expect, test } from "@playwright/test";

import { Pace } from "../../src/storage/pace.ts";

/** A pace with a window of a minute, and what it told. */
function setting() {
  const told: boolean[] = [];
  const pace: Pace = new Pace(60_000, () => told.push(pace.isSlow));
  return { pace, told };
}

test("promise 14: fewer than 8 kB a second for a minute are slow, and enough bytes end that", () => {
  const { pace, told } = setting();
  for (let second = 0; second < 59; second++) pace.note(1000, 7000);
  expect(told).toEqual([]);
  pace.note(1000, 7000);
  expect(told).toEqual([true]);
  for (let second = 0; second < 60; second++) pace.note(1000, 7000);
  expect(told).toEqual([true]); // told once
  pace.note(5000, 480_000);
  expect(told).toEqual([true, false]);
});

test("a network of 9 kB a second is not slow", () => {
  const { pace, told } = setting();
  for (let second = 0; second < 300; second++) pace.note(1000, 9000);
  expect(told).toEqual([]);
});

test("waits in which nothing comes at all count", () => {
  const { pace, told } = setting();
  for (let stall = 0; stall < 3; stall++) pace.note(20_000, 0);
  expect(told).toEqual([true]);
});
