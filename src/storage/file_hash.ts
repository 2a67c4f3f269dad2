import type { FileRecord } from "./file_record.ts";
import { gitBlobId, startSha256, type HashState, type StreamingHash } from "./sha256.ts";

/** The SHA-256 of a file whose chunks come in order, where its validator names one to compare with. */
export class FileHash {
  readonly #hash: StreamingHash;
  #chunks: number;

  private constructor(hash: StreamingHash, chunks: number) {
    this.#hash = hash;
    this.#chunks = chunks;
  }

  /** Go on where a record ends, or start anew. */
  static async resume(hashed: FileRecord["hashed"]): Promise<FileHash> {
    const resumed = hashed && (await startSha256(hashed.state));
    if (hashed && resumed) return new FileHash(resumed, hashed.chunks);
    return new FileHash((await startSha256()) as StreamingHash, 0); // only a state can be refused
  }

  /** Chunks that are hashed. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Add a chunk if it is the next one; returns what to store with it. */
  add(index: number, bytes: Uint8Array): { chunks: number; state: HashState } | undefined {
    if (index !== this.#chunks) return undefined;
    this.#hash.update(bytes);
    this.#chunks++;
    return { chunks: this.#chunks, state: this.#hash.save() };
  }

  /** The stream of bytes after the hashed chunks, for a file that is no longer stored. */
  get stream(): StreamingHash {
    return this.#hash;
  }

  /** End and return the digest in hexadecimal. */
  digest(): string {
    return this.#hash.digest();
  }
}

/** Whether a validator is a hash of the content that takes the whole stream. */
export function isSha256(validator: string): boolean {
  return validator.startsWith("sha256:");
}

/** Whether a validator is a hash of the content at all. */
export function isContentHash(validator: string): boolean {
  return isSha256(validator) || validator.startsWith("git:");
}

/** What a small file's validator would have to be. */
export async function gitValidator(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `git:${await gitBlobId(bytes)}`;
}
