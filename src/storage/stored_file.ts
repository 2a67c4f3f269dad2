import { HearthError } from "../errors.ts";

import type { RemoteFile } from "./answers.ts";
import type { CheckpointFile, FileProgress, Verdict } from "./checkpoint.ts";
import { Download } from "./download.ts";
import type { DownloadQueue } from "./download_queue.ts";
import { chunkExtent, isComplete, isIntact, type FileRecord } from "./file_record.ts";
import { fetchRange } from "./http.ts";
import { collect, concat } from "./request.ts";
import type { RetryPolicy } from "./retry.ts";
import type { ShardStore } from "./shard_store.ts";
import { StreamedFile } from "./streamed_file.ts";

/** A file on the network that is kept in a store. */
export interface StoredFileOptions {
  remote: RemoteFile;
  store: ShardStore;
  queue: DownloadQueue;
  retry?: RetryPolicy;
  onProgress?: (progress: FileProgress) => void;
  /** Called when the store fails; reading goes on from the network. Without it the failure ends the read. */
  onStorageError?: (error: HearthError) => void;
}

const SMALL_PART = 4; // a read of more than a quarter of a file may as well begin its download

interface Chunk {
  bytes: Uint8Array<ArrayBuffer>;
  fromCache: boolean;
}

/** A file over store and network. */
export class StoredFile implements CheckpointFile {
  readonly #options: StoredFileOptions;
  readonly #download: Download;
  readonly #opened: FileRecord;
  /** In place of the store, once that has failed. */
  #unstored: StreamedFile | undefined;
  #head: Uint8Array<ArrayBuffer>;
  #loadedBytes = 0;

  constructor(options: StoredFileOptions, record: FileRecord, head: Uint8Array<ArrayBuffer>) {
    this.#options = options;
    this.#opened = record;
    this.#head = head;
    const { remote, store, queue, retry } = options;
    const facts = { byteLength: record.byteLength, validator: record.validator };
    const onProgress = (loadedBytes: number) => this.#report(loadedBytes, false);
    this.#download = new Download({ remote, key: record, facts, store, retry, onProgress }, record);
    this.#download.offerHead(head);
    queue.add(this.#download);
  }

  get name(): string {
    return this.#options.remote.name;
  }

  get byteLength(): number {
    return this.#opened.byteLength;
  }

  async read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const isSmallPart = this.#isWeights && (end - begin) * SMALL_PART < this.byteLength;
    if (isSmallPart && !this.#download.has(0) && !this.#unstored) return this.#readAlone(begin, end, signal);
    const bytes = new Uint8Array(end - begin);
    let position = 0;
    for await (const slice of this.stream(begin, end, signal)) {
      bytes.set(slice, position);
      position += slice.byteLength;
    }
    return bytes;
  }

  async *stream(begin: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (!(begin >= 0 && begin <= end && end <= this.byteLength)) {
      throw new RangeError(`${this.name}: bytes ${begin} to ${end} lie outside of a file of ${this.byteLength}`);
    }
    const stop = () => this.#options.queue.stop(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    let position = begin;
    // Two buffers in turn, this stream's own: one is read into while the caller copies from the other.
    const buffers = [0, 1].map(() => new Uint8Array(Math.min(this.#opened.chunkBytes, this.byteLength)));
    let ahead: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined; // the next chunk; a second one gains nothing, and takes memory
    try {
      signal?.throwIfAborted();
      if (!this.#isWeights) await this.finish(signal); // what is small enough to wait for is checked before it is used
      while (position < end) {
        const index = Math.floor(position / this.#opened.chunkBytes);
        const extent = chunkExtent(this.#opened, index);
        const read = await ahead;
        // Reading it overlaps the check of this one, and what the caller does with it.
        ahead = extent.end < end ? this.#readAhead(index + 1, buffers[(index + 1) % 2]) : undefined;
        const { bytes, fromCache } = await this.#chunk(index, read, buffers[index % 2], signal);
        const slice = bytes.subarray(position - extent.begin, end - extent.begin);
        position += slice.byteLength;
        if (isComplete(this.#opened)) this.#report(position, fromCache);
        yield slice;
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      if (position < end) stop();
    }
  }

  /** Wait until the file is whole and checked. */
  async finish(signal?: AbortSignal): Promise<Verdict> {
    signal?.throwIfAborted();
    const stop = () => this.#options.queue.stop(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      if (this.#unstored) return await this.#unstored.finish(signal);
      await this.#options.queue.run(this.#download);
      return this.#download.takeVerdict();
    } catch (error) {
      return await this.#withoutStore(error).finish(signal);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  get #isWeights(): boolean {
    return this.name.endsWith(".safetensors");
  }

  /** A header is read before it is clear whether the model can run, so nothing else of the file moves with it. */
  async #readAlone(begin: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    if (end > this.#head.byteLength) {
      const { remote, retry } = this.#options;
      const rest = await collect(fetchRange(remote, Math.max(begin, this.#head.byteLength), end, this.#opened, { signal, retry }));
      if (begin > this.#head.byteLength) return rest;
      this.#head = concat([this.#head, rest]);
      this.#download.offerHead(this.#head);
    }
    return this.#head.slice(begin, end);
  }

  /** Read a chunk from the store, unless that is in vain; what fails is tried anew by `#chunk`, which knows what to do then. */
  #readAhead(index: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> | undefined {
    if (this.#unstored || !this.#download.has(index)) return undefined;
    return this.#options.store.chunk(this.#download.record, index, into).catch(() => undefined);
  }

  /** A chunk from where it is to be had; `read` are its stored bytes where they are known, and `into` has room for it. */
  async #chunk(index: number, read: Uint8Array<ArrayBuffer> | undefined, into: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<Chunk> {
    try {
      for (let bytes = read; !this.#unstored; bytes = undefined) {
        signal?.throwIfAborted();
        const stored = this.#download.has(index) ? await this.#storedChunk(index, bytes, into) : undefined;
        if (stored) return { bytes: stored, fromCache: this.#opened.present[index] === 1 };
        void this.#options.queue.run(this.#download, index).catch(() => {}); // `chunk` rejects with the same error
        const arrived = await this.#download.chunk(index, into, signal);
        if (arrived) return { bytes: arrived, fromCache: false };
      }
    } catch (error) {
      this.#withoutStore(error);
    }
    const { begin, end } = chunkExtent(this.#opened, index);
    return { bytes: await this.#withoutStore(undefined).read(begin, end, signal), fromCache: false };
  }

  /** Read a chunk from the store, unless that is done, and check that it is what was stored. */
  async #storedChunk(index: number, read: Uint8Array<ArrayBuffer> | undefined, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const record = this.#download.record;
    const bytes = read ?? (await this.#options.store.chunk(record, index, into));
    if (bytes && isIntact(record, index, bytes)) return bytes;
    this.#download.distrust(index); // the browser evicted it, someone deleted the model, or the disk changed it
    return undefined;
  }

  /** Go on without the store after it failed, if someone hears of it; rethrows any other error. */
  #withoutStore(error: unknown): StreamedFile {
    if (this.#unstored) return this.#unstored;
    const { remote, retry, onStorageError } = this.#options;
    const isStorage = error instanceof HearthError && (error.code === "storage" || error.code === "storage-full");
    if (!isStorage || onStorageError === undefined) throw error;
    onStorageError(error);
    const { hash, record } = this.#download;
    const begun = hash && { hash: hash.stream, byteLength: Math.min(hash.chunks * record.chunkBytes, record.byteLength) };
    const onProgress = (position: number) => this.#report(position, false);
    this.#unstored = new StreamedFile({ remote, facts: this.#opened, retry, onProgress }, this.#head, begun);
    return this.#unstored;
  }

  #report(loadedBytes: number, fromCache: boolean): void {
    this.#loadedBytes = Math.max(this.#loadedBytes, loadedBytes);
    this.#options.onProgress?.({ file: this.name, loadedBytes: this.#loadedBytes, totalBytes: this.byteLength, fromCache });
  }
}
