import type { FileRecord } from "./file_record.ts";

/** Whose chunks: what of a record says where they lie. */
export type ChunkPlace = Pick<FileRecord, "checkpoint" | "place">;

const ROOT = "hearth";

/**
 * The bytes of chunks as files of the origin's private file system, which workers read and write by handles at the speed
 * of memory: `hearth/<database>/<version of a file>/<index>`. One file per chunk, because a handle is its opener's alone:
 * other tabs read what is stored while one goes on writing. What is stored, and where, is the database's to say.
 *
 * Chunks are written by the thread that has them: another one saved nothing on two cores (bench/README.md).
 */
export class ChunkFiles {
  readonly #databaseName: string;
  /** Directories of versions that are in use: looking one up may take longer than the reading of a chunk. */
  readonly #opened = new Map<string, FileSystemDirectoryHandle>();

  constructor(databaseName: string) {
    this.#databaseName = databaseName;
  }

  /**
   * Write a chunk, in place of what its file held. Resolves to whether it was written: it is not where there are no
   * handles (Node, a page's own thread, some private windows) and while another tab has the file open. Rejects with the
   * browser's QuotaExceededError where there is no room, and leaves no part of the chunk then.
   */
  async write(place: ChunkPlace, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (globalThis.FileSystemFileHandle?.prototype.createSyncAccessHandle === undefined) return false;
    try {
      await this.#inDirectory(place, { create: true }, (directory) => writeFile(directory, String(index), bytes));
      return true;
    } catch (error) {
      if (!(error instanceof DOMException) || error.name === "QuotaExceededError") throw error;
      return false; // no file system after all, or a file in use: the database has room
    }
  }

  /** Read a chunk, into `into` where that is long enough; undefined when its file is gone. Others may have it open. */
  async read(place: ChunkPlace, index: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#inDirectory(place, {}, async (directory) => {
        const file = await directory.getFileHandle(String(index));
        return (await readByHandle(file, into)) ?? new Uint8Array(await (await file.getFile()).arrayBuffer());
      });
    } catch (error) {
      if (error instanceof DOMException) return undefined; // the browser or another tab deleted it
      throw error;
    }
  }

  /** The names of all versions' directories: to be asked before the records that they are compared with. */
  async list(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const name of (await this.#versions()).keys()) names.push(name);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // there is nothing, or no file system
    }
    return names;
  }

  /** Delete the chunks of versions, as far as no other tab has any open. */
  async remove(places: readonly ChunkPlace[]): Promise<void> {
    await this.#removeDirectories(await Promise.all(places.map(directoryName)));
  }

  /** Delete the directories among `names` that belong to none of these versions: what could not be deleted in its time. */
  async sweep(names: readonly string[], places: readonly ChunkPlace[]): Promise<void> {
    if (names.length === 0) return;
    const kept = new Set(await Promise.all(places.map(directoryName)));
    await this.#removeDirectories(names.filter((name) => !kept.has(name)));
  }

  /** Do something with a version's directory: the one that is open, unless it was deleted meanwhile. */
  async #inDirectory<T>(place: ChunkPlace, options: FileSystemGetDirectoryOptions, work: (directory: FileSystemDirectoryHandle) => Promise<T>): Promise<T> {
    const key = placeKey(place);
    const opened = this.#opened.get(key);
    try {
      if (opened) return await work(opened);
    } catch (error) {
      // Browsers have several names for a directory that is gone; these two tell of one that is there.
      if (!(error instanceof DOMException) || ["QuotaExceededError", "NoModificationAllowedError"].includes(error.name)) throw error;
    }
    const directory = await (await this.#versions(options)).getDirectoryHandle(await directoryName(place), options);
    this.#opened.set(key, directory);
    return work(directory);
  }

  async #removeDirectories(names: readonly string[]): Promise<void> {
    for (const name of names) {
      try {
        await (await this.#versions()).removeEntry(name, { recursive: true });
      } catch (error) {
        if (!(error instanceof DOMException)) throw error; // there is none, or a tab has a file open: the next opening sweeps it
      }
    }
  }

  async #versions(options?: FileSystemGetDirectoryOptions): Promise<FileSystemDirectoryHandle> {
    const storage = globalThis.navigator?.storage as StorageManager | undefined; // insecure pages and Node have none
    if (storage?.getDirectory === undefined) throw new DOMException("There is no private file system", "NotSupportedError");
    const root = await (await storage.getDirectory()).getDirectoryHandle(ROOT, options);
    return root.getDirectoryHandle(encodeURIComponent(this.#databaseName), options);
  }
}

/** Files whose handles are being opened: one that nothing else refers to is collected as garbage, and Chromium 156 then never answers. */
const opening = new Set<FileSystemFileHandle>();

/** Open a file for reading and writing; rejects with the browser's NoModificationAllowedError while it is open already. */
async function openHandle(file: FileSystemFileHandle): Promise<FileSystemSyncAccessHandle> {
  opening.add(file);
  try {
    return await file.createSyncAccessHandle();
  } finally {
    opening.delete(file);
  }
}

async function writeFile(directory: FileSystemDirectoryHandle, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const file = await directory.getFileHandle(name, { create: true });
  const handle = await openHandle(file);
  let written = 0;
  try {
    written = handle.write(bytes, { at: 0 });
    handle.truncate(written); // of what lay there before
  } finally {
    // Not flushed to the disk, as little as what databases commit by default: the checksum tells what a power cut took.
    handle.close();
    if (written < bytes.byteLength) await directory.removeEntry(name);
  }
  if (written < bytes.byteLength) throw new DOMException(`${written} of ${bytes.byteLength} bytes were written`, "QuotaExceededError");
}

/** Read a file by a handle of its own; undefined where there are no handles, and while another has one. */
async function readByHandle(file: FileSystemFileHandle, into: Uint8Array<ArrayBuffer> | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (file.createSyncAccessHandle === undefined) return undefined;
  let handle: FileSystemSyncAccessHandle;
  try {
    handle = await openHandle(file);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NoModificationAllowedError") return undefined;
    throw error;
  }
  try {
    const byteLength = handle.getSize();
    const bytes = into !== undefined && into.byteLength >= byteLength ? into.subarray(0, byteLength) : new Uint8Array(byteLength);
    return bytes.subarray(0, handle.read(bytes, { at: 0 }));
  } finally {
    handle.close();
  }
}

const placeKey = ({ checkpoint, place }: ChunkPlace) => JSON.stringify([checkpoint, place]);

/** A name that any file system takes, whatever the checkpoint and its files are called. */
async function directoryName(place: ChunkPlace): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(placeKey(place)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
