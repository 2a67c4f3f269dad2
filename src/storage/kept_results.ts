import { Connection } from "./connection.ts";

/** Small results worth keeping between visits, each with the version of what made it. */
export interface KeptResults {
  /** What was kept under a name by this version; of no other version. */
  get(name: string, version: string): Promise<unknown>;
  /** Keep a result, in place of what any version kept under its name. */
  put(name: string, version: string, result: unknown): Promise<void>;
}

/** Open what this browser keeps, beside the checkpoints' chunks; undefined where there is no storage. */
export function openKeptResults(databaseName = "hearth"): KeptResults | undefined {
  if (globalThis.indexedDB === undefined) return undefined;
  const connection = new Connection(databaseName);
  return {
    get: (name, version) => connection.read((store) => store.get(["result", name, version])),
    put: (name, version, result) => connection.write((store) => {
      store.delete(IDBKeyRange.bound(["result", name], ["result", name, []])); // arrays sort after every version
      store.put(result, ["result", name, version]);
    }),
  };
}
