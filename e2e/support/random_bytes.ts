import { createCipheriv } from "node:crypto";

/** Reproducible bytes that no browser can compress. */
export function randomBytes(byteLength: number, seed = 1): Uint8Array {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  return new Uint8Array(cipher.update(Buffer.alloc(byteLength)));
}
