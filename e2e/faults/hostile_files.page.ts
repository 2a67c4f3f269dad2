// Runs in a page: loads of checkpoints that should be refused.
import { parseSafetensorsHeader } from "../../src/formats/safetensors.ts";
import { HearthError, loadModel, storedModels } from "../../src/index.ts";

/** How a load was refused. */
export interface Refusal {
  code: string | undefined;
  message: string;
  /** When, in milliseconds since 1970. */
  endedAt: number;
  /** Bytes that the browser's storage holds of the checkpoint afterwards. */
  storedBytes: number;
}

/** Load checkpoints that must not load, one after the other. */
export async function refusalsOf(urls: readonly string[]): Promise<Refusal[]> {
  const refusals = [];
  for (const url of urls) {
    const error: unknown = await loadModel(url).then((model) => model.unload(), (reason: unknown) => reason);
    refusals.push({ url, endedAt: Date.now(), code: error instanceof HearthError ? error.code : undefined, message: error instanceof Error ? error.message : "it loaded" });
  }
  const stored = await storedModels.list();
  return refusals.map(({ url, ...refusal }) => ({ ...refusal, storedBytes: stored.find(({ id }) => id === url)?.bytes ?? 0 }));
}

/** Parse the largest header that the caps allow; milliseconds and mebibytes, the best of five, as for the speed of the machine. */
export function parseLargeHeader(): { ms: number; mebibytes: number; tensors: number } {
  const entries = Array.from({ length: 100_000 }, (_, i) => `"model.layers.${i}.mlp.experts.gate_proj.weight":{"dtype":"BF16","shape":[4,2],"data_offsets":[${16 * i},${16 * i + 16}]}`);
  const header = new TextEncoder().encode(`{${entries.join()}}`);
  const runs = [1, 2, 3, 4, 5].map(() => {
    const start = performance.now();
    const { tensors } = parseSafetensorsHeader(header, 8 + header.byteLength + 1_600_000, "model.safetensors");
    return { ms: performance.now() - start, mebibytes: header.byteLength / 2 ** 20, tensors: tensors.size };
  });
  return runs.sort((a, b) => a.ms - b.ms)[0];
}
