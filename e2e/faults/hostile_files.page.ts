// Runs in a page: loads of checkpoints that should be refused.
import { HearthError, loadModel, storedModels } from "../../src/index.ts";

/** How a load was refused. */
export interface Refusal {
  code: string | undefined;
  message: string;
  ms: number;
  /** Bytes that the browser's storage holds of the checkpoint afterwards. */
  storedBytes: number;
}

/** Load checkpoints that must not load, one after the other. */
export async function refusalsOf(urls: readonly string[]): Promise<Refusal[]> {
  const refusals = [];
  for (const url of urls) {
    const start = performance.now();
    const error: unknown = await loadModel(url).then((model) => model.unload(), (reason: unknown) => reason);
    const ms = performance.now() - start;
    refusals.push({ url, ms, code: error instanceof HearthError ? error.code : undefined, message: error instanceof Error ? error.message : "it loaded" });
  }
  const stored = await storedModels.list();
  return refusals.map(({ url, ...refusal }) => ({ ...refusal, storedBytes: stored.find(({ id }) => id === url)?.bytes ?? 0 }));
}
