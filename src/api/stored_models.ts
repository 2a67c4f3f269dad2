import type { StoredModel } from "../worker/protocol.ts";
import { untilAborted } from "../worker/transfer.ts";
import { inShortLivedWorker, Supervisor } from "./supervisor.ts";

/** The models that this browser keeps for this site, complete or partly downloaded. */
export const storedModels = {
  /** List what is kept. */
  list(): Promise<StoredModel[]> {
    return inShortLivedWorker((remote) => remote.listStoredModels());
  },
  /** Delete the files of one model, pinned or not; one that is not stored is no error. */
  remove(id: string): Promise<void> {
    return inShortLivedWorker((remote) => remote.removeStoredModel(id));
  },
  /** Keep one when others make room for new ones; only `remove` deletes it then. Rejects with code "storage" if it is not stored. */
  pin(id: string): Promise<void> {
    return inShortLivedWorker((remote) => remote.pinStoredModel(id, true));
  },
  /** Take that back. */
  unpin(id: string): Promise<void> {
    return inShortLivedWorker((remote) => remote.pinStoredModel(id, false));
  },
  /**
   * Remove models, the one that was used the longest ago first, until the others take no more than so many bytes; resolves to
   * those that were removed. What is pinned, or loaded in any tab, stays, even if that takes more.
   */
  trim(budgetBytes: number): Promise<StoredModel[]> {
    return inShortLivedWorker((remote) => remote.trimStoredModels(budgetBytes));
  },
  /** A model that is stored whole as one file, a plain tar, read from storage as the stream is read. */
  export: exportModel,
  /** Store a model from an exported file, every part checked; resolves to its id, by which it loads. */
  import(archive: Blob): Promise<string> {
    return inShortLivedWorker((remote) => remote.importStoredModel(archive));
  },
  /** Ask the browser not to clear this site's storage by itself; resolves to whether it agreed. Without that, it may. */
  async persist(): Promise<boolean> {
    return (await navigator.storage?.persist?.()) ?? false;
  },
};

async function exportModel(id: string): Promise<ReadableStream<Uint8Array>> {
  const supervisor = new Supervisor();
  try {
    const reader = (await supervisor.call((remote) => remote.exportStoredModel(id))).getReader();
    return new ReadableStream({
      async pull(controller) {
        const { value, done } = await untilAborted(reader.read(), supervisor.signal);
        if (!done) return controller.enqueue(value);
        controller.close();
        await supervisor.stop();
      },
      async cancel(reason) {
        await reader.cancel(reason);
        await supervisor.stop();
      },
    }, { highWaterMark: 0 });
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}
