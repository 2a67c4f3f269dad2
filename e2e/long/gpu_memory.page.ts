// Runs in a page: loads through the public API, for their memory.
import { loadModel, type LanguageModel } from "../../src/index.ts";

let loaded: LanguageModel | undefined;

/** Load a model that has no tokenizer, and compute with it. */
export async function loadLarge(source: string): Promise<{ weightBytes: number; logits: number }> {
  loaded = await loadModel(source, { store: "none", quantize: "none", contextLength: 256 });
  const logits = await loaded.logits([1, 2, 3]);
  return { weightBytes: loaded.info.weightBytes, logits: logits.filter(Number.isFinite).length / loaded.info.vocabSize };
}

/** Load the bundled model, let it answer, and unload it. */
export async function loadAndUnload(contextLength: number): Promise<number> {
  const model = await loadModel("/models/hearth-tiny/", { contextLength });
  const { usage } = await model.generate("Once upon a time", { maxTokens: 2 });
  await model.unload();
  return usage.completionTokens;
}
