import { storedModels } from "../src/index.ts";

declare const BUNDLED_MODEL_VERSION: string; // a hash of the model's files, defined in vite.config.ts

/** The model that comes with the page. What a browser stored is never asked for again, so each version has its own address. */
export const BUNDLED_MODEL = `./models/hearth-tiny/?v=${BUNDLED_MODEL_VERSION}`;

/** Remove what this browser keeps of other versions of a model; `id` tells the one to keep. */
export async function forgetOtherVersions(id: string): Promise<void> {
  const address = withoutQuery(id);
  for (const stored of await storedModels.list()) {
    if (stored.id !== id && withoutQuery(stored.id) === address) await storedModels.remove(stored.id);
  }
}

function withoutQuery(id: string): string {
  return id.split("?")[0];
}
