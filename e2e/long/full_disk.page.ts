// Runs in a page whose storage is nearly full.
import { HearthError, loadModel } from "../../src/index.ts";

const BUNDLED = "/models/hearth-tiny/";

/** Load with storage required, which fails, then preferred, and generate. */
export async function loadOnFullDisk(): Promise<{ code: string | undefined; tokens: number }> {
  const code = await loadModel(BUNDLED, { store: "required" }).then(
    () => undefined,
    (error: unknown) => (error instanceof HearthError ? error.code : String(error)),
  );
  await using model = await loadModel(BUNDLED);
  const { usage } = await model.generate("Once upon a time", { maxTokens: 20 });
  return { code, tokens: usage.completionTokens };
}
