import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";

import { withSpeedTable } from "../../tools/speed_table.mjs";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("the README's speed table says what the raw reports say", () => {
  expect(withSpeedTable(readme)).toBe(readme);
});
