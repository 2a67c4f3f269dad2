import { expect, shared, test } from "../support/fixtures.ts";
import { slower, withAllowance } from "../support/machine_speed.ts";
import { measured, TIMED } from "../support/measured.ts";
import { cpuTimesOfTasks } from "../support/page_tasks.ts";
import { PATTERN_BOMBS, TEMPLATE_BOMBS } from "./hostile_bombs.ts";
import type { Ending } from "./hostile_text.page.ts";

type PageModule = typeof import("./hostile_text.page.ts");
type Outcome<Name extends keyof PageModule> = Awaited<ReturnType<PageModule[Name]>>;

const PAGE = "/e2e/faults/hostile_text.page.ts";
const LIMIT_MS = 2500;
const isLong = process.env.HEARTH_LONG !== undefined;

const worst = (endings: readonly Ending[], key: "ms" | "gapMs") => Math.round(Math.max(...endings.map((ending) => ending[key])));

test("promise 26: a chat template that would hang ends in a typed error within 2.5 s, and the page never waits", TIMED, async ({ harness, browserName }) => {
  let endings: Outcome<"renderBombs"> = [];
  const render = async () => void (endings = await harness.run<typeof endings>(PAGE, "renderBombs"));
  let tasks: number[] | undefined; // only Chromium traces them
  if (browserName === "chromium") tasks = await cpuTimesOfTasks(harness.page, render);
  else await render();
  for (const { name, code, ms, tokensAfter } of endings) {
    expect(["text-limit", "template"], name).toContain(code);
    expect(ms, name).toBeLessThan(LIMIT_MS);
    expect(tokensAfter, name).toBeGreaterThan(0);
  }
  measured(`${endings.length} templates; slowest error ${worst(endings, "ms")} ms; longest pause of the page ${worst(endings, "gapMs")} ms${tasks ? `, longest task ${Math.max(...tasks).toFixed(0)} ms of CPU time` : ""}`);
  if (tasks) {
    expect(tasks.length).toBeGreaterThan(endings.length); // results came as tasks of this thread
    expect(Math.max(...tasks)).toBeLessThan(50);
  }
  expect(worst(endings, "gapMs")).toBeLessThan(250); // 50 on a machine of its own
});

test("promise 26: after template bombs the loaded model answers as before", TIMED, async ({ harness }) => {
  const template = `{% if bomb == 1 %}${TEMPLATE_BOMBS["loops in loops"]}{% elif bomb == 2 %}${TEMPLATE_BOMBS["text that doubles"]}{% endif %}{{ messages[0].content }}`;
  const { before, after, endings, aborted } = await harness.run<Outcome<"answerAroundBombs">>(PAGE, "answerAroundBombs", template);
  expect(endings.map(({ code }) => code)).toEqual(["text-limit", "text-limit"]);
  expect(worst(endings, "ms")).toBeLessThan(LIMIT_MS);
  expect(aborted).toMatchObject({ code: undefined, message: expect.stringMatching(/abort/i) });
  expect(aborted.ms).toBeLessThan(1000); // an abort does not wait for the template
  expect(after).toBe(before);
  expect(before).not.toBe("");
  measured(`typed error after ${worst(endings, "ms")} ms; abort after ${Math.round(aborted.ms)} ms; longest pause of the page ${worst(endings, "gapMs")} ms`);
});

test("promise 27: a tokenizer pattern that would hang ends in a typed error within 2.5 s", TIMED, async ({ harness }) => {
  const bombs = isLong ? PATTERN_BOMBS : PATTERN_BOMBS.slice(0, 6);
  const endings = await harness.run<Outcome<"runPatterns">>(PAGE, "runPatterns", bombs);
  expect(endings).toHaveLength(bombs.length);
  expect(endings.filter(({ code }) => code !== "text-limit")).toEqual([]);
  expect(worst(endings, "ms")).toBeLessThan(LIMIT_MS);
  measured(`${endings.length} patterns; slowest error ${worst(endings, "ms")} ms; longest pause of the page ${worst(endings, "gapMs")} ms`);
});

test("promise 27: a vocabulary of 150,000 tokens loads in under 2 s without blocking the page", TIMED, async ({ harness }) => {
  const folder = shared("tokenizers/qwen2.5-0.5b-instruct");
  test.skip(folder === undefined, "the real tokenizer is not here");
  const { result: cost, allowance } = await withAllowance(harness, () => harness.run<Outcome<"measureText">>(PAGE, "measureText", folder));
  measured(
    `${cost.vocabSize} tokens in ${Math.round(cost.loadMs)} ms; longest pause of the page ${Math.round(cost.gapMs)} ms; ` +
      `rendering ${cost.renderMs.toFixed(2)} ms, encoding ${cost.encodeMs.toFixed(2)} ms, thread change included; ${slower(allowance)}`,
  );
  expect(cost.vocabSize).toBeGreaterThan(150_000);
  expect(cost.loadMs).toBeLessThan(2000 * allowance);
  expect(cost.gapMs).toBeLessThan(500);
  expect(cost.renderMs + cost.encodeMs).toBeLessThan(50);
});
