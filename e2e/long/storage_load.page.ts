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

/** How long it takes to store random bytes in IndexedDB chunk by chunk, as blobs, and then to read them. */
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
  const writing = performance.now();
  for (let index = 0; index < chunks; index++) await use("readwrite", (store) => store.put(new Blob([chunk]), index));
  const writeMs = performance.now() - writing;
  let read = 0;
  const reading = performance.now();
  for (let index = 0; index < chunks; index++) {
    let request: IDBRequest<Blob> | undefined;
    await use("readonly", (store) => (request = store.get(index)));
    read += (await request!.result.arrayBuffer()).byteLength; // asked for when the transaction is done
  }
  const readMs = performance.now() - reading;
  if (read !== byteLength) throw new Error(`expected ${byteLength} bytes, read ${read}`);
  database.close();
  indexedDB.deleteDatabase("alone");
  return { writeMs, readMs };
}
