// Runs in a page whose storage is nearly full: loads a model by each choice.
import { HearthError, loadModel } from "../../src/index.ts";

const BUNDLED = "/models/hearth-tiny/";

/** Load with storage required, preferred and not at all, and generate where that worked. */
export async function loadOnFullDisk() {
  const required = await loadModel(BUNDLED, { store: "required" }).then(
    () => ({ code: "none", message: "it loaded" }),
    (error: unknown) => ({ code: error instanceof HearthError ? error.code : undefined, message: (error as Error).message }),
  );
  const tokens: Record<string, number> = {};
  for (const store of ["preferred", "none"] as const) {
    await using model = await loadModel(BUNDLED, { store });
    const { usage } = await model.generate("Once upon a time", { maxTokens: 20 });
    tokens[store] = usage.completionTokens;
  }
  return { required, tokens };
}
