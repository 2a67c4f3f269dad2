// Runs in a page: loads models through the public API, keeps them loaded, and makes room.
import { HearthError, loadModel, storedModels, type LanguageModel } from "../../src/index.ts";

const loaded = new Map<string, LanguageModel>();

/** Load a model of a Hub, and keep it loaded. */
export async function load({ id, ...options }: { id: string; endpoint: string; storageBudget?: number }): Promise<void> {
  loaded.set(id, await loadModel(id, options));
}

/** Whether a loaded model answers. */
export async function answers(id: string): Promise<boolean> {
  const logits = await loaded.get(id)?.logits([1, 2, 3]);
  return logits?.every(Number.isFinite) ?? false;
}

/** Unload every model of this page. */
export async function unloadAll(): Promise<void> {
  for (const model of loaded.values()) await model.unload();
  loaded.clear();
}

/** Pin a model, or take that back; resolves to the code that it failed with. */
export async function pin({ id, pinned }: { id: string; pinned: boolean }): Promise<string | undefined> {
  try {
    await (pinned ? storedModels.pin(id) : storedModels.unpin(id));
    return undefined;
  } catch (error) {
    return (error as HearthError).code;
  }
}

/** Make room; resolves to the ids of what was removed. */
export async function trim(budgetBytes: number): Promise<string[]> {
  return (await storedModels.trim(budgetBytes)).map(({ id }) => id);
}

/** What is stored, the latest used first. */
export async function list() {
  return (await storedModels.list()).sort((a, b) => b.usedAt - a.usedAt).map(({ id, bytes, pinned, complete }) => ({ id, bytes, pinned, complete }));
}
