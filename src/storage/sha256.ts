import type { IHasher } from "hash-wasm";

import { PlainSha256 } from "./plain_sha256.ts";

/** The state of an unfinished hash, to be stored with the bytes that it covers. */
export interface HashState {
  /** States of the two kinds are not each other's. */
  kind: "wasm" | "plain";
  bytes: Uint8Array<ArrayBuffer>;
}

/** A SHA-256 of bytes as they arrive. */
export interface StreamingHash {
  update(bytes: Uint8Array): void;
  save(): HashState;
  /** End and return the digest in hexadecimal. */
  digest(): string;
}

/** Start a SHA-256, or continue one; undefined for a state that this page cannot continue, so that the caller starts anew. */
export async function startSha256(state?: HashState): Promise<StreamingHash | undefined> {
  const wasm = await wasmSha256();
  if (state !== undefined && state.kind !== (wasm ? "wasm" : "plain")) return undefined;
  if (wasm === undefined) return plainHash(state ? PlainSha256.load(state.bytes) : new PlainSha256());
  try {
    return wasmHash(state ? wasm.load(state.bytes) : wasm.init());
  } catch {
    return undefined; // another version of the package wrote this state
  }
}

/** Git's name for a file's content, in hexadecimal. */
export async function gitBlobId(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const blob = new Blob([`blob ${bytes.byteLength}\0`, bytes]);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-1", await blob.arrayBuffer())));
}

/** Bytes in hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A WebAssembly hasher, or undefined where a Content-Security-Policy bars WebAssembly. */
async function wasmSha256(): Promise<IHasher | undefined> {
  const { createWasmSha256 } = await import("./wasm_sha256.ts");
  try {
    return await createWasmSha256();
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || globalThis.WebAssembly === undefined) return undefined;
    throw error;
  }
}

function wasmHash(hasher: IHasher): StreamingHash {
  return {
    update: (bytes) => void hasher.update(bytes),
    save: () => ({ kind: "wasm", bytes: hasher.save().slice() }), // a copy: what the package returns is a view of its memory
    digest: () => hasher.digest("hex"),
  };
}

function plainHash(hash: PlainSha256): StreamingHash {
  return {
    update: (bytes) => hash.update(bytes),
    save: () => ({ kind: "plain", bytes: hash.save() }),
    digest: () => toHex(hash.digest()),
  };
}
