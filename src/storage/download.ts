import { HearthError } from "../errors.ts";

import type { Verdict } from "./checkpoint.ts";
import { checksum } from "./checksum.ts";
import { LeaseLostError } from "./connection.ts";
import { FileHash, isContentHash, isSha256 } from "./file_hash.ts";
import { chunkExtent, isComplete, isIntact, presentBytes, type FileRecord } from "./file_record.ts";
import { fetchRange } from "./http.ts";
import { lead } from "./lease.ts";
import { verifyStored, type DownloadOptions } from "./verify.ts";

/**
 * Brings one file into the store: chunk by chunk in order, each hashed and committed with its progress record, then the
 * whole checked against its hash. Tabs that want the same file share one download.
 */
export class Download {
  readonly #options: DownloadOptions;
  #record: FileRecord;
  /** Bytes that came with the probe. */
  #head: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** Chunks whose stored bytes proved wrong or gone. */
  readonly #distrusted = new Set<number>();
  /** The chunk that arrived last, for a reader that keeps up. */
  #latest: { index: number; bytes: Uint8Array<ArrayBuffer> } | undefined;
  #hash: FileHash | undefined;
  #running: Promise<void> | undefined;
  #controller = new AbortController();
  #first = 0;
  #sleepers: (() => void)[] = [];
  #wasRepaired = false;

  constructor(options: DownloadOptions, record: FileRecord) {
    this.#options = options;
    this.#record = record;
  }

  /** What is stored, as far as this tab knows. */
  get record(): FileRecord {
    return this.#record;
  }

  /** Whether a chunk is stored, and as far as is known soundly. */
  has(index: number): boolean {
    return this.#record.present[index] === 1 && !this.#distrusted.has(index);
  }

  /** Whether there is nothing left to do. */
  get isSettled(): boolean {
    const { validator, isVerified } = this.#record;
    return isComplete(this.#record) && this.#distrusted.size === 0 && (isVerified || !isContentHash(validator));
  }

  /** Take over the file's first bytes, which came before it was known that the rest is wanted. */
  offerHead(bytes: Uint8Array<ArrayBuffer>): void {
    this.#head = bytes;
  }

  /** Fetch a chunk again because its stored bytes are not those that were stored. */
  distrust(index: number): void {
    this.#distrusted.add(index);
  }

  /** Start, unless it runs; `first` is the chunk that is wanted soonest. Resolves when the file is whole and checked. */
  run(first = 0): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    if (this.#running !== undefined) return this.#running;
    this.#first = first;
    this.#controller = new AbortController();
    const running = this.#untilSettled(this.#controller.signal).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    running.catch(() => {}); // whoever waits for a chunk or for the end sees it
    this.#running = running;
    return running;
  }

  /** End the request; stored chunks are kept. */
  stop(reason?: unknown): void {
    this.#controller.abort(reason);
    this.#running = undefined;
  }

  /** Wait for a chunk; resolves to its bytes, copied into `into`, or to undefined when they are in the store; rejects when the download fails. */
  async chunk(index: number, into: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#latest?.index === index) {
        into.set(this.#latest.bytes);
        return into.subarray(0, this.#latest.bytes.byteLength);
      }
      if (this.has(index)) return undefined;
      await Promise.race([new Promise<void>((resolve) => this.#sleepers.push(resolve)), this.run(index)]);
    }
  }

  /** Whether stored bytes had to be replaced since the last call, after readers may have had them. */
  takeVerdict(): Verdict {
    const verdict = this.#wasRepaired ? "repaired" : "sound";
    this.#wasRepaired = false;
    return verdict;
  }

  /** What was hashed so far, for going on without the store. */
  get hash(): FileHash | undefined {
    return this.#hash;
  }

  async #untilSettled(signal: AbortSignal): Promise<void> {
    const { store, key } = this.#options;
    while (!this.isSettled) {
      try {
        await lead(store, key, { lead: (epoch, inner) => this.#lead(epoch, inner), follow: () => this.#follow() }, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof LeaseLostError)) throw error;
      }
    }
  }

  async #follow(): Promise<void> {
    const { store, key, facts } = this.#options;
    const latest = (await store.versions(key)).find(({ validator }) => validator === facts.validator);
    if (latest) this.#learn(latest);
  }

  #learn(record: FileRecord): void {
    this.#record = record;
    this.#options.onProgress?.(presentBytes(record));
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }

  async #lead(epoch: number, signal: AbortSignal): Promise<void> {
    const { store, key, facts } = this.#options;
    this.#learn(await store.begin(key, facts));
    this.#hash = isSha256(facts.validator) ? await FileHash.resume(this.#record.hashed) : undefined;
    for (let next = this.#nextAbsent(this.#first); next !== undefined; next = this.#nextAbsent(next)) {
      await this.#fetchRun(next, epoch, signal);
    }
    const replaced = await verifyStored({ ...this.#options, record: this.#record, hash: this.#hash, epoch, signal });
    this.#wasRepaired ||= replaced;
    await this.#follow();
  }

  #nextAbsent(from: number): number | undefined {
    const chunks = this.#record.present.byteLength;
    for (let step = 0; step < chunks; step++) if (!this.has((from + step) % chunks)) return (from + step) % chunks;
    return undefined;
  }

  /** Fetch all chunks from one on up to the next that is stored, by one request. */
  async #fetchRun(first: number, epoch: number, signal: AbortSignal): Promise<void> {
    const { remote, facts, retry } = this.#options;
    const chunks = this.#record.present.byteLength;
    let last = first;
    while (last + 1 < chunks && !this.has(last + 1)) last++;
    const begin = chunkExtent(this.#record, first).begin;
    const end = chunkExtent(this.#record, last).end;
    const known = first === 0 ? this.#head.subarray(0, end) : new Uint8Array();
    let arrived = presentBytes(this.#record) + known.byteLength;
    let saving: Promise<void> = Promise.resolve();
    // Two buffers in turn: one fills while the other is saved.
    const buffers = [0, 1].map(() => new Uint8Array(Math.min(this.#record.chunkBytes, end - begin)));
    const pieceAt = (at: number) => {
      const extent = chunkExtent(this.#record, at);
      return buffers[at % 2].subarray(0, extent.end - extent.begin);
    };
    let index = first;
    let piece = pieceAt(index);
    let filled = 0;
    const append = async (bytes: Uint8Array) => {
      for (let position = 0; position < bytes.byteLength; ) {
        const part = bytes.subarray(position, position + piece.byteLength - filled);
        piece.set(part, filled);
        filled += part.byteLength;
        position += part.byteLength;
        if (filled < piece.byteLength) continue;
        this.#latest = { index, bytes: piece };
        this.#notify();
        // One write behind the network: it overlaps the download, and memory stays at two chunks. A second one gains nothing.
        await saving;
        saving = this.#save(index, piece, epoch);
        saving.catch(() => {}); // seen by whoever awaits it next
        if (index === last) return;
        piece = pieceAt(++index);
        filled = 0;
      }
    };
    try {
      await append(known);
      for await (const slice of fetchRange(remote, begin + known.byteLength, end, facts, { signal, retry })) {
        arrived += slice.byteLength;
        this.#options.onProgress?.(arrived);
        await append(slice);
      }
    } finally {
      await saving;
      this.#latest = undefined;
    }
  }

  async #save(index: number, bytes: Uint8Array<ArrayBuffer>, epoch: number): Promise<void> {
    const { store, facts } = this.#options;
    const isRepair = this.#distrusted.has(index) && (this.#record.isVerified || !isSha256(facts.validator));
    if (isRepair && !isIntact(this.#record, index, bytes)) throw changed(this.#options, index);
    const hashed = this.#hash?.add(index, bytes);
    const record = await store.putChunk(this.#record, { index, bytes, checksum: checksum(bytes), hashed }, epoch);
    this.#distrusted.delete(index);
    this.#learn(record);
  }
}

function changed({ remote }: DownloadOptions, index: number): HearthError {
  return new HearthError(
    "corrupt-checkpoint",
    `${remote.name}: part ${index} was damaged in this browser's storage, and the server sends something else for it now; remove the stored model and load again`,
  );
}
