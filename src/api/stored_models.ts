import type { Remote } from "comlink";

import type { StoredModel, WorkerApi } from "../worker/protocol.ts";
import { Supervisor } from "./supervisor.ts";

/** The models that this browser keeps for this site, complete or partly downloaded. */
export const storedModels = {
  /** List what is kept. */
  list(): Promise<StoredModel[]> {
    return inShortLivedWorker((remote) => remote.listStoredModels());
  },
  /** Delete the files of one model. */
  remove(id: string): Promise<void> {
    return inShortLivedWorker((remote) => remote.removeStoredModel(id));
  },
};

// Storage belongs to the worker's side; a worker without a model costs a few milliseconds.
async function inShortLivedWorker<T>(call: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
  const supervisor = new Supervisor();
  try {
    return await supervisor.call(call);
  } finally {
    await supervisor.stop();
  }
}
