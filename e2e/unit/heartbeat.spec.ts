import { expect, test } from "@playwright/test";

import { Heartbeat } from "../../src/api/heartbeat.ts";

const SILENCE_MS = 200;
const waitMs = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A heartbeat whose worker answers as told. */
function setting() {
  const worker = { isAlive: true, pings: 0, answer: () => {} };
  const outcome = { isSilent: false };
  const ping = () => {
    worker.pings++;
    return worker.isAlive ? Promise.resolve() : new Promise<void>((resolve) => (worker.answer = resolve));
  };
  return { worker, outcome, heartbeat: new Heartbeat({ ping, onSilence: () => (outcome.isSilent = true), silenceMs: SILENCE_MS }) };
}

test("a worker that answers is never taken for dead, and is asked only while someone waits", async () => {
  const { worker, outcome, heartbeat } = setting();
  await heartbeat.during(waitMs(2 * SILENCE_MS));
  expect(outcome.isSilent).toBe(false);
  await waitMs(SILENCE_MS);
  const { pings } = worker;
  await waitMs(SILENCE_MS);
  expect(worker.pings).toBe(pings);
});

test("a worker that never answers is found out while someone waits, and not before", async () => {
  const { worker, outcome, heartbeat } = setting();
  worker.isAlive = false;
  for (let call = 0; call < 20; call++) await heartbeat.during(Promise.resolve()); // who does not wait learns nothing
  await waitMs(2 * SILENCE_MS);
  expect(outcome.isSilent).toBe(false);
  void heartbeat.during(new Promise(() => {}));
  await expect.poll(() => outcome.isSilent).toBe(true);
  expect(worker.pings).toBeLessThanOrEqual(2); // one question at a time
});

test("time in which the page itself stood still does not count", async () => {
  const { worker, outcome, heartbeat } = setting();
  worker.isAlive = false;
  const waiting = heartbeat.during(waitMs(4 * SILENCE_MS));
  for (let i = 0; i < 5; i++) {
    const until = performance.now() + SILENCE_MS / 2; // far more than a beat
    while (performance.now() < until);
    await waitMs(SILENCE_MS / 10);
  }
  expect(outcome.isSilent).toBe(false);
  worker.answer();
  await waiting;
  expect(outcome.isSilent).toBe(false);
});
