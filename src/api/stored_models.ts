import type { StoredModel } from "../worker/protocol.ts";
import { inShortLivedWorker } from "./supervisor.ts";

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
