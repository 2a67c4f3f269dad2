import { createSHA256, type IHasher } from "hash-wasm";

/** Compile a SHA-256 that runs as WebAssembly; rejects where the page's Content-Security-Policy bars it. */
export function createWasmSha256(): Promise<IHasher> {
  return createSHA256();
}
