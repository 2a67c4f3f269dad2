import { openShardStore, type FileRecord, type ShardStore } from "./shard_store.ts";

/** A checkpoint in this browser's storage. */
export interface StoredModel {
  /** What `loadModel` was given: a Hub id (with "@revision" unless it is main) or an absolute address. */
  id: string;
  bytes: number;
  /** Whether weights are stored and every file that was begun is stored whole. */
  complete: boolean;
  /** When the last part was stored, in milliseconds since 1970. */
  savedAt: number;
}

/** List the checkpoints in this browser's storage, the latest first. */
export async function listStoredModels(store?: ShardStore): Promise<StoredModel[]> {
  const records = await (store ?? (await openShardStore()))?.records();
  const byCheckpoint = new Map<string, FileRecord[]>();
  for (const record of records ?? []) {
    byCheckpoint.set(record.checkpoint, [...(byCheckpoint.get(record.checkpoint) ?? []), record]);
  }
  return [...byCheckpoint].map(([id, files]) => summarise(id, files)).sort((a, b) => b.savedAt - a.savedAt);
}

/** Delete a checkpoint from this browser's storage; one that is not stored is no error. */
export async function removeStoredModel(id: string, store?: ShardStore): Promise<void> {
  await (store ?? (await openShardStore()))?.remove(id);
}

function summarise(id: string, files: readonly FileRecord[]): StoredModel {
  const storedBytes = files.map(presentBytes);
  return {
    id,
    bytes: storedBytes.reduce((sum, bytes) => sum + bytes, 0),
    // Every shard is opened, and so recorded, before the first byte of weights is asked for.
    complete: files.some(({ file }) => file.endsWith(".safetensors"))
      && files.every(({ byteLength }, i) => storedBytes[i] === byteLength),
    savedAt: Math.max(...files.map(({ savedAt }) => savedAt)),
  };
}

function presentBytes({ present, chunkBytes, byteLength }: FileRecord): number {
  const lengths = [...present].map((stored, index) => stored * Math.min(chunkBytes, byteLength - index * chunkBytes));
  return lengths.reduce((sum, bytes) => sum + bytes, 0);
}
