// Runs in a page or its worker: stores more chunks than there may be room for.
import { checksum } from "../../src/storage/checksum.ts";
import { openShardStore, type ShardStore } from "../../src/storage/shard_store.ts";

const KEY = { checkpoint: "org/name", file: "model.safetensors" };
const CHUNKS = 6;

async function browserStore(): Promise<ShardStore> {
  const store = await openShardStore();
  if (!store) throw new Error("this browser has no storage");
  return store;
}

/**
 * Store six random chunks, so many at once, each beginning with its number, counted from 1; resolves to "saved" or the
 * error's code for each. A quota that is reached in the middle of several writes is where browsers tell of success too early.
 */
export async function storeChunks(atOnce: number): Promise<string[]> {
  const store = await browserStore();
  const record = await store.begin(KEY, { byteLength: CHUNKS * store.chunkBytes, validator: "etag:2" });
  const storeChunk = async (index: number) => {
    const bytes = new Uint8Array(store.chunkBytes);
    for (let begin = 0; begin < bytes.byteLength; begin += 65_536) crypto.getRandomValues(bytes.subarray(begin, begin + 65_536));
    bytes[0] = index + 1;
    const put = store.putChunk(record, { index, bytes, checksum: checksum(bytes) });
    return put.then(() => "saved", (error: { code?: string }) => String(error.code));
  };
  const outcomes: string[] = [];
  for (let first = 0; first < CHUNKS; first += atOnce) outcomes.push(...(await Promise.all(Array.from({ length: atOnce }, (_, i) => storeChunk(first + i)))));
  return outcomes;
}

/** Whether each chunk is stored, by the record's word, and the first of its bytes. */
export async function storedChunks(): Promise<{ present: number; firstByte: number | undefined }[]> {
  const store = await browserStore();
  const [record] = await store.versions(KEY);
  return Promise.all([...record.present].map(async (present, index) => ({ present, firstByte: (await store.chunk(record, index))?.[0] })));
}
