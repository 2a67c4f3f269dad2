import { HearthError } from "../errors.ts";

import type { FileFacts, RemoteFile } from "./answers.ts";
import type { CheckpointFile, Verdict } from "./checkpoint.ts";
import { gitValidator, isContentHash, isSha256 } from "./file_hash.ts";
import { NetworkReader } from "./network_reader.ts";
import type { RetryPolicy } from "./retry.ts";
import { startSha256, type StreamingHash } from "./sha256.ts";

/** A file on the network that is not stored. */
export interface StreamedFileOptions {
  remote: RemoteFile;
  facts: FileFacts;
  retry?: RetryPolicy;
  /** Called with where a reader has come to. */
  onProgress?: (position: number) => void;
}

const SLICE_BYTES = 4 * 1024 * 1024;
// Long enough to go on to the next tensor, short enough to free one of a host's six connections for another file.
const IDLE_MS = 2000;

/**
 * A file that is read from the network every time, for browsers without storage and disks without room. A slice of `stream`
 * is good until the next is asked for.
 */
export class StreamedFile implements CheckpointFile {
  readonly #options: StreamedFileOptions;
  #network: NetworkReader | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #head: Uint8Array<ArrayBuffer>;
  #hash: StreamingHash | undefined;
  #hashedTo: number;
  #mismatches = 0;
  /** Whether all that was handed on has proved right. */
  #isChecked = false;

  /** `head` are the file's first bytes where they are known; `begun` is a hash of its first `byteLength` bytes. */
  constructor(options: StreamedFileOptions, head: Uint8Array<ArrayBuffer>, begun?: { hash: StreamingHash; byteLength: number }) {
    this.#options = options;
    this.#head = head;
    this.#hash = begun?.hash;
    this.#hashedTo = begun?.byteLength ?? 0;
  }

  get name(): string {
    return this.#options.remote.name;
  }

  get byteLength(): number {
    return this.#options.facts.byteLength;
  }

  async read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(end - begin);
    let position = 0;
    for await (const slice of this.stream(begin, end, signal)) {
      bytes.set(slice, position);
      position += slice.byteLength;
    }
    const { validator } = this.#options.facts;
    const isWhole = bytes.byteLength === this.byteLength;
    if (isWhole && validator.startsWith("git:") && (await gitValidator(bytes)) !== validator) throw wrongContent(this.#options);
    return bytes;
  }

  async *stream(begin: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (!(begin >= 0 && begin <= end && end <= this.byteLength)) {
      throw new RangeError(`${this.name}: bytes ${begin} to ${end} lie outside of a file of ${this.byteLength}`);
    }
    const buffer = new Uint8Array(Math.min(SLICE_BYTES, end - begin)); // this stream's own: the request's is the next in turn's
    let position = begin;
    try {
      while (position < end) {
        signal?.throwIfAborted();
        const slice = await this.#inTurn(async () => {
          const bytes = await this.#next(position, Math.min(end, position + SLICE_BYTES), signal);
          buffer.set(bytes);
          return buffer.subarray(0, bytes.byteLength);
        });
        position += slice.byteLength;
        this.#options.onProgress?.(position);
        yield slice;
      }
    } finally {
      await this.#inTurn(async () => this.#pause(position < end));
    }
  }

  /** Read what is still unread through the hash, and compare; what came wrong is to be read again, once. */
  async finish(signal?: AbortSignal): Promise<Verdict> {
    const { validator } = this.#options.facts;
    if (!isContentHash(validator)) return "sound";
    if (!isSha256(validator) || this.#isChecked) return "sound"; // small files are checked by `read`
    for await (const slice of this.stream(this.#hashedTo, this.byteLength, signal)) void slice;
    await this.#hashOn(new Uint8Array(), this.#hashedTo); // an empty file has no slice
    const found = `sha256:${this.#hash?.digest()}`;
    this.#hash = undefined;
    this.#hashedTo = 0;
    this.#isChecked = found === validator;
    this.#mismatches = this.#isChecked ? 0 : this.#mismatches + 1;
    if (this.#isChecked) return "sound";
    this.#head = new Uint8Array();
    if (this.#mismatches > 1) throw wrongContent(this.#options);
    return "repaired";
  }

  /** Two readers share one request and one hash, so they take turns slice by slice. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {}); // the caller sees the failure; the next in turn must still run
    return result;
  }

  async #next(position: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    this.#isChecked = false;
    for (;;) {
      // The hash needs every byte in order, so what a reader skips is read past.
      const from = isSha256(this.#options.facts.validator) ? Math.min(position, this.#hashedTo) : position;
      const slice = await this.#take(from, from < position ? position : end, signal);
      await this.#hashOn(slice, from);
      if (from === position) return slice;
    }
  }

  async #take(begin: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    clearTimeout(this.#idleTimer);
    if (begin < this.#head.byteLength) return this.#head.subarray(begin, end);
    if (this.#network?.position !== begin) {
      this.#network?.close();
      const { remote, facts, retry } = this.#options;
      this.#network = new NetworkReader(remote, begin, this.byteLength, facts, retry);
    }
    try {
      const slice = await this.#network.take(end - begin, signal);
      if (slice === undefined) throw new Error(`${this.name}: the request ended before byte ${begin}`);
      return slice;
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  async #hashOn(slice: Uint8Array<ArrayBuffer>, begin: number): Promise<void> {
    if (!isSha256(this.#options.facts.validator)) return;
    this.#hash ??= await startSha256();
    const fresh = slice.subarray(Math.max(0, this.#hashedTo - begin));
    this.#hash?.update(fresh);
    this.#hashedTo += fresh.byteLength;
  }

  #pause(endedEarly: boolean): void {
    if (endedEarly) return this.#close();
    clearTimeout(this.#idleTimer);
    // The next range usually follows at once and goes on with the same request.
    this.#idleTimer = setTimeout(() => this.#close(), IDLE_MS);
  }

  #close(): void {
    clearTimeout(this.#idleTimer);
    this.#network?.close();
    this.#network = undefined;
  }
}

function wrongContent({ remote, facts }: StreamedFileOptions): HearthError {
  return new HearthError("corrupt-checkpoint", `${remote.name}: expected content with ${facts.validator}, found other content in what was downloaded; try again, or another network`);
}
