// Runs in a page or its worker: looks at the files in which chunks lie, and gets in their way.
import { checksum } from "../../src/storage/checksum.ts";
import { ChunkFiles } from "../../src/storage/chunk_files.ts";
import { openShardStore } from "../../src/storage/shard_store.ts";
import { readFiles, type ReadRequest, type Reading } from "./storage.page.ts";

async function versionDirectories(): Promise<FileSystemDirectoryHandle[]> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("hearth");
  const directories: FileSystemDirectoryHandle[] = [];
  for await (const handle of (await root.getDirectoryHandle("hearth")).values()) directories.push(handle as FileSystemDirectoryHandle); // there are no files
  return directories;
}

/** The names of the chunks' files, in order, for every version of every file. */
export async function chunkFiles(): Promise<string[][]> {
  const all: string[][] = [];
  for (const directory of await versionDirectories()) {
    const names: string[] = [];
    for await (const name of directory.keys()) names.push(name);
    all.push(names.sort());
  }
  return all.sort((a, b) => b.length - a.length);
}

/** When any chunk's file was last written, in milliseconds since 1970. */
export async function lastFileWrite(): Promise<number> {
  const times: number[] = [];
  for (const directory of await versionDirectories()) {
    for await (const file of directory.values()) times.push((await (file as FileSystemFileHandle).getFile()).lastModified); // files lie there only
  }
  return Math.max(...times);
}

/** Store a chunk, delete its version and store it again, all by one store; resolves to the chunk in the end. */
export async function storeTwice(checkpoint: string): Promise<number[] | undefined> {
  const store = await openShardStore();
  if (!store) throw new Error("this browser has no storage");
  const key = { checkpoint, file: "model.safetensors" };
  for (const bytes of [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)]) {
    const record = await store.begin(key, { byteLength: 3, validator: "size:3" });
    await store.putChunk(record, { index: 0, bytes, checksum: checksum(bytes) });
    if (bytes[0] === 1) await store.dropVersion(record);
  }
  const [record] = await store.versions(key);
  const chunk = await store.chunk(record, 0);
  return chunk && [...chunk];
}

/** Write files and read them back while the browser collects all garbage again and again; resolves to how many came back. */
export async function storeAmidCollections(count: number): Promise<number> {
  const collect = (globalThis as { gc?: (options: object) => Promise<void> }).gc; // there by the flag --expose-gc
  if (!collect) throw new Error("this browser does not collect garbage on demand");
  let isStoring = true;
  const collecting = (async () => {
    while (isStoring) await collect({ type: "major", execution: "async" });
  })();
  const files = new ChunkFiles("hearth");
  const place = { checkpoint: "org/name", place: "collected" };
  let found = 0;
  for (let index = 0; index < count; index++) {
    await files.write(place, index, Uint8Array.of(index));
    if ((await files.read(place, index))?.[0] === index) found++;
  }
  isStoring = false;
  await collecting;
  return found;
}

/** Delete the file of one chunk of the only version that is stored, as a browser or a user may. */
export async function deleteChunkFile(index: number): Promise<void> {
  const [directory] = await versionDirectories();
  await directory.removeEntry(String(index));
}

/** Hold the handles of all chunks of all versions, as another tab does while it reads or writes them, until an address answers. */
export async function holdHandles(url: string): Promise<number> {
  const handles: FileSystemSyncAccessHandle[] = [];
  for (const directory of await versionDirectories()) {
    for await (const file of directory.values()) handles.push(await (file as FileSystemFileHandle).createSyncAccessHandle()); // as above
  }
  await fetch(url);
  for (const handle of handles) handle.close();
  return handles.length;
}

/** Where the chunks of a file lie. */
export async function placesOf({ checkpoint, file }: { checkpoint: string; file: string }): Promise<("file" | "database")[]> {
  const [{ place, present }] = (await (await openShardStore())?.versions({ checkpoint, file })) ?? [];
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open("hearth");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  const places = [...present.keys()].map((index) => new Promise<"file" | "database">((resolve, reject) => {
    const request = database.transaction("chunks").objectStore("chunks").get(["chunk", checkpoint, place, index]);
    request.onsuccess = () => resolve(request.result === "file" ? "file" : "database");
    request.onerror = () => reject(request.error);
  }));
  return Promise.all(places).finally(() => database.close());
}

/** Read files in a browser that has no private file system. */
export async function readWithoutFiles(request: ReadRequest): Promise<Reading> {
  Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined });
  return readFiles(request);
}

/** Read files in a browser that refuses its private file system, as some private windows do. */
export async function readWithRefusedFiles(request: ReadRequest): Promise<Reading> {
  const refuse = async () => Promise.reject(new DOMException("Security error when calling GetDirectory", "SecurityError"));
  Object.defineProperty(StorageManager.prototype, "getDirectory", { value: refuse });
  return readFiles(request);
}
