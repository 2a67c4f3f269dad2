import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";

import { FAMILIES } from "../../src/models/registry.ts";
import { FORMATS } from "../../src/quant/formats.ts";
import { withSpeedTable } from "../../tools/speed_table.mjs";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("the README's speed table says what the raw reports say", () => {
  expect(withSpeedTable(readme)).toBe(readme);
});

test("the README lists every model type and every weight format of the registries, and no other", () => {
  expect(readme).toContain(`**Model types**: ${[...FAMILIES.keys()].map((type) => `\`${type}\``).join(", ")}.\n`);
  const rows = Object.values(FORMATS).map(({ name, reads }) => `| ${name} | ${reads} |\n`);
  expect(readme).toContain(`| weights | variants |\n| --- | --- |\n${rows.join("")}\n`);
});
