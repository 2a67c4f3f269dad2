import type { FileFacts, RemoteFile } from "./answers.ts";
import { fetchRange } from "./http.ts";
import type { RetryPolicy } from "./retry.ts";

/** One request that is read piece by piece, each when it is asked for; unread bytes wait at the server. */
export class NetworkReader {
  #position: number;
  readonly #controller = new AbortController();
  readonly #slices: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
  #leftover: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(remote: RemoteFile, begin: number, end: number, facts: FileFacts, retry?: RetryPolicy) {
    this.#position = begin;
    this.#slices = fetchRange(remote, begin, end, facts, { signal: this.#controller.signal, retry });
  }

  /** Where the next byte that `take` returns lies in the file. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, at most `maxBytes` of them, good until the next are asked for; undefined at the end. An abort ends the whole request. */
  async take(maxBytes: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#leftover.byteLength === 0) {
      const next = await this.#nextSlice(signal);
      if (next === undefined) return undefined;
      this.#leftover = next;
    }
    const taken = this.#leftover.subarray(0, maxBytes);
    this.#leftover = this.#leftover.subarray(taken.byteLength);
    this.#position += taken.byteLength;
    return taken;
  }

  /** End the request. */
  close(): void {
    this.#controller.abort();
    // The generator only has to run its clean-up, and the abort above has made a pending read fail.
    this.#slices.return().catch(() => {});
  }

  async #nextSlice(signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
    signal?.throwIfAborted(); // perhaps while another reader had its turn
    const stop = () => this.#controller.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const { value, done } = await this.#slices.next();
      return done ? undefined : value;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}
