import { loadModel } from "../../src/engine/load_model.ts";
import { parseModelConfig } from "../../src/formats/model_config.ts";
import { decoderSpec } from "../../src/models/registry.ts";
import { randomCheckpoint } from "../support/random_checkpoint.ts";
import { tensorsOf } from "../support/spec_tensors.ts";

/** What transformers computes with a tiny random model of a family. */
export interface FamilyGolden {
  name: string;
  model_type: string;
  config: Record<string, unknown>;
  /** Frobenius norm of all logits. */
  L2: number;
  /** Most likely token after the last position. */
  argmax: number;
  /** First six logits of the last position. */
  last6: number[];
  /** First three logits of the first position. */
  first3: number[];
}

/** How far a family is from its golden values, and its two paths from each other. */
export interface FamilyDeviation {
  /** Largest difference from the golden logits. */
  golden: number;
  l2: number;
  argmax: number;
  /** Largest difference between decoding and prefilling. */
  decode: number;
}

const TOKEN_IDS = [1, 5, 17, 42, 99, 3, 64, 127, 8, 23];

/** How tensors may be spelt in a checkpoint: the model's own prefix becomes another. */
export interface Spelling {
  prefix: string;
  head: string;
}

/** Run a family's tiny model once prefilled and once decoded. */
export async function runFamily({ golden, spelling }: { golden: FamilyGolden; spelling?: Spelling }): Promise<FamilyDeviation> {
  const contextLength = TOKEN_IDS.length;
  const spec = decoderSpec(parseModelConfig(JSON.stringify(golden.config)), contextLength);
  const checkpoint = { name: golden.name, config: golden.config, tensors: tensorsOf(spec), tokens10: TOKEN_IDS, tokens70: [] };
  const respell = (name: string) => (spelling ? (name.startsWith("model.") ? spelling.prefix + name.slice(6) : spelling.head + name) : name);
  const model = await loadModel(randomCheckpoint(checkpoint, respell), { kvCache: "f32", contextLength }, { baseUrl: location.href });
  try {
    const prefilled = await model.runner.logits(TOKEN_IDS);
    const decoded: number[] = [];
    for (const [position, id] of TOKEN_IDS.entries()) decoded.push(...(await model.runner.forward(id, position)));
    const { vocabSize } = spec;
    const last = prefilled.subarray(-vocabSize);
    return {
      golden: Math.max(...difference(last, golden.last6), ...difference(prefilled, golden.first3)),
      l2: Math.abs(Math.sqrt(prefilled.reduce((sum, value) => sum + value * value, 0)) - golden.L2),
      argmax: last.indexOf(Math.max(...last)),
      decode: Math.max(...difference(prefilled, decoded)),
    };
  } finally {
    model.gpu.destroy();
  }
}

function difference(found: Float32Array, expected: readonly number[]): number[] {
  return expected.map((value, i) => Math.abs(value - found[i]));
}
