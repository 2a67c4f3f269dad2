import { createXXHash32 } from "hash-wasm";
import { expect, test } from "@playwright/test";

import { checksum } from "../../src/storage/checksum.ts";
import { plainXxh32 } from "../../src/storage/plain_xxh32.ts";
import { randomBytes } from "../support/random_bytes.ts";

test("XXH32 in plain TypeScript is xxHash's own, and the one that runs as WebAssembly", async () => {
  expect(plainXxh32(new Uint8Array())).toBe(0x02cc5d05); // xxHash's sanity checks
  expect(plainXxh32(new TextEncoder().encode("Nobody inspects the spammish repetition"))).toBe(0xe2293b2f);
  for (const length of [0, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 100, 100_003]) {
    const bytes = randomBytes(length + 1).subarray(1); // at an odd address
    expect(plainXxh32(bytes)).toBe(await checksum(bytes));
    expect(plainXxh32(bytes).toString(16).padStart(8, "0")).toBe((await createXXHash32()).init().update(bytes).digest("hex"));
  }
});

test("a checksum is the same where WebAssembly is barred", async () => {
  const bytes = randomBytes(1000);
  const expected = await checksum(bytes);
  const { WebAssembly: wasm } = globalThis;
  try {
    const barred = () => Promise.reject(new wasm.CompileError("barred"));
    Object.assign(globalThis, { WebAssembly: { CompileError: wasm.CompileError, compile: barred, instantiate: barred } });
    expect(await checksum(bytes)).toBe(expected);
  } finally {
    Object.assign(globalThis, { WebAssembly: wasm });
  }
});
