import { createHash } from "node:crypto";
import { expect, test } from "@playwright/test";

import { PlainSha256 } from "../../src/storage/plain_sha256.ts";
import { gitBlobId, startSha256, toHex } from "../../src/storage/sha256.ts";
import { randomBytes } from "../support/random_bytes.ts";

const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const LENGTHS = [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_001];

test("SHA-256 in plain TypeScript agrees with Node's, also when it is saved half way", () => {
  for (const length of LENGTHS) {
    const bytes = randomBytes(length);
    const first = new PlainSha256();
    first.update(bytes.subarray(0, length >> 1));
    const second = PlainSha256.load(first.save());
    second.update(bytes.subarray(length >> 1));
    expect(toHex(second.digest())).toBe(hex(bytes));
  }
});

test("a streaming hash continues from its saved state", async () => {
  for (const length of LENGTHS) {
    const bytes = randomBytes(length);
    const first = (await startSha256())!; // nothing to refuse
    first.update(bytes.subarray(0, length >> 1));
    const second = (await startSha256(first.save()))!; // its own state
    second.update(bytes.subarray(length >> 1));
    expect(second.digest()).toBe(hex(bytes));
  }
});

test("a state of the other kind is refused, and plain TypeScript stands in where WebAssembly is barred", async () => {
  const bytes = randomBytes(1000);
  const { WebAssembly: wasm } = globalThis;
  const state = { kind: "plain" as const, bytes: new PlainSha256().save() };
  expect(await startSha256(state)).toBeUndefined();
  try {
    const barred = () => Promise.reject(new wasm.CompileError("barred"));
    Object.assign(globalThis, { WebAssembly: { CompileError: wasm.CompileError, compile: barred, instantiate: barred } });
    const plain = (await startSha256(state))!; // its own state
    plain.update(bytes);
    expect(plain.save().kind).toBe("plain");
    expect(plain.digest()).toBe(hex(bytes));
  } finally {
    Object.assign(globalThis, { WebAssembly: wasm });
  }
});

test("a git blob's name is git's", async () => {
  expect(await gitBlobId(new TextEncoder().encode("hello\n"))).toBe("ce013625030ba8dba906f756967f9e9ca394464a");
});
