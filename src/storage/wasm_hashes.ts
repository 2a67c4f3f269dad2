import { createSHA256, createXXHash32, type IHasher } from "hash-wasm";

const KINDS = { sha256: createSHA256, xxh32: () => createXXHash32() };

/** A hasher that runs as WebAssembly, or undefined where the page's Content-Security-Policy bars it. */
export async function wasmHasher(kind: keyof typeof KINDS): Promise<IHasher | undefined> {
  try {
    return await KINDS[kind]();
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || globalThis.WebAssembly === undefined) return undefined;
    throw error;
  }
}
