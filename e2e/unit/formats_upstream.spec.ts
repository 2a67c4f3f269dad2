import { existsSync, readFileSync, readdirSync } from "node:fs";

import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import { readSafetensorsHeader } from "../../src/formats/safetensors.ts";
import { memoryFile } from "./formats_support.ts";

const VECTORS = "../shared/assets/test-vectors/safetensors";
// Git LFS pointers, other formats under the name, and a file with bytes left over, all found in public repositories.
const BROKEN = ["datta0-lfs-pointer", "ilyes-lfs-pointer", "herdora-model", "mauricio-model", "las7-tiny"];
const ABSENT = `real safetensors files are not here (${VECTORS})`;

test("the reference reader's own cases end as they end there", async () => {
  test.skip(!existsSync(VECTORS), ABSENT);
  const cases: { test: string; hex: string; expected: string }[] = JSON.parse(readFileSync(`${VECTORS}/upstream_cases.json`, "utf8"));
  expect(cases.length).toBeGreaterThan(10);
  for (const [i, { test: name, hex, expected }] of cases.entries()) {
    const read = readSafetensorsHeader(memoryFile("case", new Uint8Array(Buffer.from(hex, "hex"))));
    const found = await read.then(() => "ok", (error: unknown) => (error instanceof HearthError ? error.code : error));
    expect(found, `${i}: ${name}`).toBe(expected === "ok" ? "ok" : "corrupt-checkpoint");
  }
});

test("real files are read, and real broken ones are refused", async () => {
  test.skip(!existsSync(VECTORS), ABSENT);
  const files = readdirSync(VECTORS).filter((name) => name.endsWith(".safetensors"));
  expect(files.length).toBeGreaterThan(10);
  for (const name of files) {
    const read = readSafetensorsHeader(memoryFile(name, new Uint8Array(readFileSync(`${VECTORS}/${name}`))));
    const found = await read.then(({ tensors }) => tensors.size, (error: unknown) => (error instanceof HearthError ? error.code : error));
    if (BROKEN.some((broken) => name.startsWith(broken))) expect(found, name).toBe("corrupt-checkpoint");
    else expect(found, name).toBeGreaterThan(0);
  }
});
