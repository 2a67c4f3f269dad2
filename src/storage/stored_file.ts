import { HearthError } from "../errors.ts";

import type { CheckpointFile, FileProgress } from "./checkpoint.ts";
import { probe, type FileFacts, type Probe, type RemoteFile } from "./http.ts";
import { NetworkReader } from "./network_reader.ts";
import { DEFAULT_RETRY } from "./retry.ts";
import type { FileKey, FileRecord, ShardStore } from "./shard_store.ts";

/** What a file on the network, kept in a store, is made of. */
export interface StoredFileOptions {
  remote: RemoteFile;
  key: FileKey;
  /** Without a store every load comes from the network. */
  store?: ShardStore;
  onProgress?: (progress: FileProgress) => void;
  /** Called when the store fails; reading goes on from the network. Without it the failure ends the read. */
  onStorageError?: (error: HearthError) => void;
}

/** A run of bytes in memory: a chunk from the store, or one that the network is filling. */
interface Piece {
  begin: number;
  bytes: Uint8Array<ArrayBuffer>;
  filledBytes: number;
  fromCache: boolean;
}

const UNSTORED_PIECE_BYTES = 4 * 1024 * 1024; // memory per open file when nothing is stored
// Long enough to go on to the next tensor, short enough to free one of a host's six connections for another file.
const IDLE_MS = 2000;

/**
 * Open a file, or resolve to undefined when the checkpoint lacks it.
 *
 * A file that is stored whole costs no request. Any other is asked for once: a different version drops what was stored,
 * and a missing one is remembered. When the network fails, a remembered answer stands in: stored parts are served, and
 * a file last known as missing is missing. Online a missing file is asked for every time, because it may have appeared.
 */
export async function openStoredFile(options: StoredFileOptions, signal?: AbortSignal): Promise<CheckpointFile | undefined> {
  const { store, key } = options;
  const record = await guarded(options, async () => store?.record(key));
  if (record !== undefined && isComplete(record)) return new StoredFile(options, record, record.present);
  const knownMissing = store !== undefined && record === undefined && (await guarded(options, () => store.isMissing(key))) === true;
  const found = await ask(options, { record, knownMissing }, signal);
  if (found === undefined) {
    if (!knownMissing) await guarded(options, async () => store?.noteMissing(key));
    return undefined;
  }
  if (!("head" in found)) return new StoredFile(options, found, found.present);
  const current = await guarded(options, async () => store?.begin(key, found));
  const file = new StoredFile(options, found, current?.present);
  await file.adoptHead(found.head);
  return file;
}

/** Ask the network for a file; when it fails, fall back on what the store remembers. */
async function ask(
  { remote }: StoredFileOptions,
  known: { record: FileRecord | undefined; knownMissing: boolean },
  signal: AbortSignal | undefined,
): Promise<Probe | FileRecord | undefined> {
  const hasFallback = known.record !== undefined || known.knownMissing;
  try {
    return await probe(remote, { signal, retry: hasFallback ? { ...DEFAULT_RETRY, attempts: 1 } : DEFAULT_RETRY });
  } catch (error) {
    if (!hasFallback || !(error instanceof HearthError) || error.code !== "network") throw error;
    return known.record;
  }
}

/** Use the store; a failure is reported and, if someone listens, survived without it. */
async function guarded<T>({ onStorageError }: StoredFileOptions, use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use();
  } catch (error) {
    if (onStorageError === undefined || !(error instanceof HearthError)) throw error;
    onStorageError(error);
    return undefined;
  }
}

function isComplete(record: FileRecord): boolean {
  return record.present.every((stored) => stored === 1);
}

/**
 * A file over store and network. Slices of `stream` are views of its buffers: copy them to the GPU or elsewhere before
 * asking for the next, and do not transfer them; `read` returns a copy.
 */
class StoredFile implements CheckpointFile {
  readonly #options: StoredFileOptions;
  readonly #facts: FileFacts;
  readonly #store: ShardStore | undefined;
  readonly #present: Uint8Array;
  /** The bytes that came with the probe, until the piece that begins with them takes them over. */
  #head: Uint8Array<ArrayBuffer> = new Uint8Array();
  #piece: Piece | undefined;
  #network: NetworkReader | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #mayStore = true;
  #turn: Promise<unknown> = Promise.resolve();
  #loadedBytes = 0;

  constructor(options: StoredFileOptions, { byteLength, validator }: FileFacts, present: Uint8Array | undefined) {
    this.#options = options;
    this.#facts = { byteLength, validator };
    this.#store = present === undefined ? undefined : options.store;
    this.#present = present?.slice() ?? new Uint8Array(); // a copy, because records belong to the store
  }

  get name(): string {
    return this.#options.remote.name;
  }

  get byteLength(): number {
    return this.#facts.byteLength;
  }

  /** Take over the bytes that came with the probe; a file that they hold whole is stored at once. */
  async adoptHead(head: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#present[0] === 1) return;
    this.#head = head;
    if (this.#store === undefined || head.byteLength < this.byteLength) return;
    const { chunkBytes } = this.#store;
    for (let index = 0; index < this.#present.byteLength && this.#mayStore; index++) {
      await this.#save(index, head.slice(index * chunkBytes, (index + 1) * chunkBytes), this.#store);
    }
  }

  async read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
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
    let position = begin;
    try {
      while (position < end) {
        const { bytes, fromCache } = await this.#inTurn(() => this.#sliceAt(position, end, signal));
        position += bytes.byteLength;
        this.#report(position, fromCache);
        yield bytes;
      }
      await this.#saving;
    } finally {
      await this.#inTurn(async () => this.#pause(position < end));
    }
  }

  /** Two readers of one file share its buffers, so they take turns slice by slice. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {}); // the caller sees the failure; the next in turn must still run
    return result;
  }

  async #sliceAt(position: number, end: number, signal: AbortSignal | undefined): Promise<{ bytes: Uint8Array<ArrayBuffer>; fromCache: boolean }> {
    for (;;) {
      signal?.throwIfAborted();
      if (position < this.#head.byteLength) return { bytes: this.#head.subarray(position, end), fromCache: false };
      const piece = this.#piece;
      const offset = position - (piece?.begin ?? 0);
      if (piece === undefined || offset < 0 || offset >= piece.bytes.byteLength) {
        this.#piece = (await this.#storedPiece(position)) ?? this.#newPiece(position);
      } else if (offset < piece.filledBytes) {
        const bytes = piece.bytes.subarray(offset, Math.min(piece.filledBytes, end - piece.begin));
        // Whoever reads on needs the next piece; holding this one would cost a chunk per open file.
        if (offset + bytes.byteLength === piece.bytes.byteLength) this.#piece = undefined;
        return { bytes, fromCache: piece.fromCache };
      } else {
        await this.#fill(piece, signal);
      }
    }
  }

  async #storedPiece(position: number): Promise<Piece | undefined> {
    const store = this.#store;
    const { begin, end } = this.#extent(position);
    if (store === undefined || this.#present[begin / store.chunkBytes] !== 1) return undefined;
    const index = begin / store.chunkBytes;
    const bytes = await guarded(this.#options, () => store.chunk(this.#options.key, index));
    if (bytes?.byteLength === end - begin) return { begin, bytes, filledBytes: end - begin, fromCache: true };
    this.#present[index] = 0; // the browser evicted it, or someone deleted the model: fetch it again
    return undefined;
  }

  #newPiece(position: number): Piece {
    const { begin, end } = this.#extent(position);
    const piece = { begin, bytes: new Uint8Array(end - begin), filledBytes: 0, fromCache: false };
    if (begin > 0 || this.#head.byteLength >= end) return piece;
    piece.bytes.set(this.#head);
    piece.filledBytes = this.#head.byteLength;
    this.#head = new Uint8Array();
    return piece;
  }

  /** With a store a piece is a whole chunk, so that it can be stored; else it begins where it is needed. */
  #extent(position: number): { begin: number; end: number } {
    const size = this.#store?.chunkBytes ?? UNSTORED_PIECE_BYTES;
    const begin = this.#store === undefined ? position : position - (position % size);
    return { begin, end: Math.min(begin + size, this.byteLength) };
  }

  async #fill(piece: Piece, signal: AbortSignal | undefined): Promise<void> {
    clearTimeout(this.#idleTimer);
    const position = piece.begin + piece.filledBytes;
    if (this.#network?.position !== position) {
      this.#network?.close();
      this.#network = new NetworkReader(this.#options.remote, position, this.#absentEnd(position), this.#facts);
    }
    try {
      const slice = await this.#network.take(piece.bytes.byteLength - piece.filledBytes, signal);
      if (slice === undefined) throw new Error(`${this.name}: the request ended before byte ${position}`);
      await this.#append(piece, slice);
    } catch (error) {
      this.#network?.close();
      this.#network = undefined;
      throw error;
    }
  }

  /** One request serves every chunk up to the next one that is stored already. */
  #absentEnd(position: number): number {
    if (this.#store === undefined) return this.byteLength;
    const next = this.#present.indexOf(1, Math.floor(position / this.#store.chunkBytes));
    return next < 0 ? this.byteLength : next * this.#store.chunkBytes;
  }

  async #append(piece: Piece, slice: Uint8Array): Promise<void> {
    piece.bytes.set(slice, piece.filledBytes);
    piece.filledBytes += slice.byteLength;
    if (piece.filledBytes < piece.bytes.byteLength || this.#store === undefined || !this.#mayStore) return;
    // One write behind the network: it overlaps the download, and memory stays at two chunks.
    await this.#saving;
    this.#saving = this.#save(piece.begin / this.#store.chunkBytes, piece.bytes, this.#store);
    this.#saving.catch(() => {}); // seen by whoever awaits #saving next
  }

  async #save(index: number, bytes: Uint8Array<ArrayBuffer>, store: ShardStore): Promise<void> {
    const put = async () => {
      await store.putChunk(this.#options.key, this.#facts, index, bytes);
      this.#present[index] = 1;
      return true;
    };
    this.#mayStore = (await guarded(this.#options, put)) ?? false; // full once is full: do not try at every chunk
  }

  #pause(endedEarly: boolean): void {
    if (endedEarly) return this.#closeNetwork();
    clearTimeout(this.#idleTimer);
    // The next range usually follows at once and goes on with the same request.
    this.#idleTimer = setTimeout(() => this.#closeNetwork(), IDLE_MS);
  }

  #closeNetwork(): void {
    clearTimeout(this.#idleTimer);
    this.#network?.close();
    this.#network = undefined;
  }

  #report(position: number, fromCache: boolean): void {
    this.#loadedBytes = Math.max(this.#loadedBytes, position);
    this.#options.onProgress?.({ file: this.name, loadedBytes: this.#loadedBytes, totalBytes: this.byteLength, fromCache });
  }
}
