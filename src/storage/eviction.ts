import { HearthError } from "../errors.ts";

import { holdLock, lockManager } from "./locks.ts";
import type { ShardStore } from "./shard_store.ts";
import { listStoredModels, requiredStore, type StoredModel } from "./stored_models.ts";

/** Keep a checkpoint from being evicted by any tab until this thread ends, as loading and running it needs. */
export async function holdStoredModel(id: string, signal?: AbortSignal): Promise<void> {
  const locks = lockManager();
  if (locks) await holdLock(locks, lockName(id), { mode: "shared", signal });
}

/**
 * Remove checkpoints, the one that was used the longest ago first, until those that are left take no more than a budget of
 * bytes, or each of them is pinned or held by some tab; resolves to what was removed.
 */
export async function trimStoredModels(budgetBytes: number, given?: ShardStore): Promise<StoredModel[]> {
  checkBudget("storedModels.trim", budgetBytes);
  const store = given ?? (await requiredStore());
  const models = await listStoredModels(store);
  const removed: StoredModel[] = [];
  let bytes = models.reduce((sum, model) => sum + model.bytes, 0);
  for (const model of models.sort((a, b) => a.usedAt - b.usedAt)) {
    if (bytes <= budgetBytes) break;
    if (!(await evict(model.id, store))) continue;
    removed.push(model);
    bytes -= model.bytes;
  }
  return removed;
}

/** Refuse what is no budget of bytes; `subject` is what it was given to. */
export function checkBudget(subject: string, budgetBytes: unknown): void {
  if (typeof budgetBytes === "number" && budgetBytes >= 0) return;
  throw new HearthError("invalid-options", `${subject}: expected the number of bytes that stored models may take, found ${String(budgetBytes)}`);
}

/** Remove a checkpoint that is neither pinned nor held; resolves to whether it was removed. */
async function evict(id: string, store: ShardStore): Promise<boolean> {
  const locks = lockManager();
  if (locks === undefined) return store.removeUnpinned(id);
  return locks.request(lockName(id), { ifAvailable: true }, (lock) => lock !== null && store.removeUnpinned(id));
}

const lockName = (id: string) => `hearth uses ${id}`;
