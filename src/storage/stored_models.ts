import { HearthError } from "../errors.ts";

import { exportStoredModel, importStoredModel } from "./archive.ts";
import { isComplete, presentBytes, type FileRecord } from "./file_record.ts";
import type { Listing } from "./listing.ts";
import { openShardStore, type ShardStore, type UseRecord } from "./shard_store.ts";

/** A checkpoint in this browser's storage. */
export interface StoredModel {
  /** What `loadModel` was given: a Hub id (with "@revision" unless it is main) or an absolute address. */
  id: string;
  bytes: number;
  /** Whether weights are stored and every file that was begun is stored whole. */
  complete: boolean;
  /** When the last part was stored, in milliseconds since 1970. */
  savedAt: number;
  /** When it was last loaded, or stored if that is later. */
  usedAt: number;
  /** Whether it stays when others make room; `pin` says so. */
  pinned: boolean;
}

/** List the checkpoints in this browser's storage, the latest first. */
export async function listStoredModels(given?: ShardStore): Promise<StoredModel[]> {
  const store = given ?? (await openShardStore());
  const byCheckpoint = new Map<string, FileRecord[]>();
  for (const record of (await store?.records()) ?? []) {
    byCheckpoint.set(record.checkpoint, [...(byCheckpoint.get(record.checkpoint) ?? []), record]);
  }
  const models: StoredModel[] = [];
  for (const [id, files] of byCheckpoint) models.push(summarise(id, files, await store?.listing(id), await store?.use(id)));
  return models.sort((a, b) => b.savedAt - a.savedAt);
}

/** Delete a checkpoint from this browser's storage; one that is not stored is no error. */
export async function removeStoredModel(id: string, store?: ShardStore): Promise<void> {
  await (store ?? (await openShardStore()))?.remove(id);
}

/** Say whether a checkpoint may be removed to make room for others. */
export async function pinStoredModel(id: string, isPinned: boolean, given?: ShardStore): Promise<void> {
  const store = given ?? (await requiredStore());
  if (await store.setUse(id, { isPinned })) return;
  throw new HearthError("storage", `${id}: expected a model that is stored in this browser, found none of that id; load it once, or see storedModels.list()`);
}

/** Stream a stored checkpoint as one file. */
export async function exportFromBrowser(id: string): Promise<ReadableStream<Uint8Array>> {
  return exportStoredModel(id, await requiredStore());
}

/** Store a checkpoint that was exported; resolves to its id. */
export async function importIntoBrowser(archive: Blob): Promise<string> {
  return importStoredModel(archive, await requiredStore());
}

/** The browser's shard store; rejects where there is none. */
export async function requiredStore(): Promise<ShardStore> {
  const store = await openShardStore();
  if (store) return store;
  throw new HearthError("storage", "this page has no storage that works; a private window may be the reason");
}

function summarise(id: string, records: readonly FileRecord[], listing: Listing | undefined, use: UseRecord | undefined): StoredModel {
  // While an update is half done, the version that was whole before still is.
  const settled = records.filter(({ file, validator }) => listing?.files[file]?.hash === validator);
  const files = settled.length > 0 ? settled : records;
  const savedAt = Math.max(...records.map((record) => record.savedAt));
  return {
    id,
    bytes: records.reduce((sum, record) => sum + presentBytes(record), 0),
    // Every shard is opened, and so recorded, before the first byte of weights is asked for.
    complete: files.some(({ file }) => file.endsWith(".safetensors")) && files.every(isComplete),
    savedAt,
    usedAt: Math.max(savedAt, use?.loadedAt ?? 0),
    pinned: use?.isPinned ?? false,
  };
}
