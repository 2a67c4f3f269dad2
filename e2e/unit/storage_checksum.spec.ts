import { createXXHash32 } from "hash-wasm";
import { expect, test } from "@playwright/test";

import { checksum } from "../../src/storage/checksum.ts";
import { randomBytes } from "../support/random_bytes.ts";

test("the checksum of a chunk is its XXH32", async () => {
  expect(checksum(new Uint8Array())).toBe(0x02cc5d05); // xxHash's sanity checks
  expect(checksum(new TextEncoder().encode("Nobody inspects the spammish repetition"))).toBe(0xe2293b2f);
  for (const length of [0, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 100, 100_003]) {
    for (const begin of [0, 1]) {
      const bytes = randomBytes(length + begin).subarray(begin); // at an even and an odd address
      expect(checksum(bytes).toString(16).padStart(8, "0")).toBe((await createXXHash32()).init().update(bytes).digest("hex"));
    }
  }
});
