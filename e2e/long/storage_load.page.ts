// Runs in a page: reads checkpoints as a load does, without a GPU, and what it is compared with.
import { streamTensors } from "../../src/engine/stream_tensors.ts";
import { readWeightMap } from "../../src/formats/shard_index.ts";
import { openShardStore } from "../../src/storage/shard_store.ts";
import { openCheckpoint } from "../../src/storage/source.ts";

const CHUNK_BYTES = 8 * 1024 * 1024;

/** Read every tensor of a checkpoint in the order in which a load uploads them; resolves to bytes and milliseconds. */
export async function readTensors(source: string): Promise<{ tensorBytes: number; elapsedMs: number }> {
  const begun = performance.now();
  const checkpoint = openCheckpoint(source, { store: await openShardStore() });
  let tensorBytes = 0;
  for (const { file, header } of await readWeightMap(checkpoint)) {
    const consumer = { write: async (bytes: Uint8Array) => void (tensorBytes += bytes.byteLength), end: async () => {} };
    const jobs = [...header.tensors.values()].map((entry) => ({ entry, consume: async () => consumer }));
    await streamTensors(file, jobs.sort((a, b) => a.entry.begin - b.entry.begin));
  }
  if ((await checkpoint.verify()) !== "sound") throw new Error("the checkpoint had to be repaired");
  return { tensorBytes, elapsedMs: performance.now() - begun };
}

/** How long one plain request for a file takes, with its bytes thrown away. */
export async function networkAlone(url: string): Promise<number> {
  const begun = performance.now();
  const reader = (await fetch(url, { cache: "no-store", headers: { Range: "bytes=0-" } })).body!.getReader(); // an answer with a body
  while (!(await reader.read()).done);
  return performance.now() - begun;
}

/** How long it takes to store random bytes in IndexedDB chunk by chunk, and then to read them. */
export async function databaseAlone(byteLength: number): Promise<{ writeMs: number; readMs: number }> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open("alone");
    opening.onupgradeneeded = () => opening.result.createObjectStore("chunks");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let begin = 0; begin < CHUNK_BYTES; begin += 65_536) crypto.getRandomValues(chunk.subarray(begin, begin + 65_536));
  const use = (mode: IDBTransactionMode, ask: (store: IDBObjectStore) => void) => new Promise<void>((resolve, reject) => {
    const transaction = database.transaction("chunks", mode);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    ask(transaction.objectStore("chunks"));
  });
  const chunks = byteLength / CHUNK_BYTES;
  const timed = async (mode: IDBTransactionMode, ask: (store: IDBObjectStore, index: number) => void) => {
    const begun = performance.now();
    for (let index = 0; index < chunks; index++) await use(mode, (store) => ask(store, index));
    return performance.now() - begun;
  };
  const writeMs = await timed("readwrite", (store, index) => store.put(chunk, index));
  let read = 0;
  const readMs = await timed("readonly", (store, index) => {
    const request = store.get(index);
    request.onsuccess = () => (read += (request.result as Uint8Array).byteLength); // browsers make the value when it is looked at
  });
  if (read !== byteLength) throw new Error(`expected ${byteLength} bytes, read ${read}`);
  database.close();
  return { writeMs, readMs };
}
