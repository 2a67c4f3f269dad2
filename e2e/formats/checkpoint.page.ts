import { loadModel } from "../../src/engine/load_model.ts";
import type { Runner } from "../../src/engine/runner.ts";
import { randomValues } from "../kernels/random_values.ts";
import { FORMAT_CASES } from "./format_cases.ts";
import { tinyCheckpoints } from "./tiny_model.ts";

const TOKENS = [1, 17, 40, 95, 3, 3, 60];

/** How far logits of a checkpoint are from those of its dequantised weights, relative to their row's standard deviation. */
export interface LogitErrors {
  prefill: number;
  decode: number;
  weightFormat: string;
}

/** Load a tiny checkpoint of a format and one of its dequantised weights, and compare their logits. */
export async function compareLogits(name: string): Promise<LogitErrors> {
  const format = FORMAT_CASES.find((each) => each.name === name)!; // names come from the same list
  const { stored, plain } = tinyCheckpoints(format, randomValues(7));
  const expected = await withRunner(plain, (runner) => runner.logits(TOKENS));
  return withRunner(stored, async (runner) => {
    const prefill = await runner.logits(TOKENS);
    const rows: Float32Array[] = [];
    for (const [position, token] of TOKENS.entries()) rows.push(await runner.forward(token, position));
    const decode = Float32Array.from(rows.flatMap((row) => [...row]));
    const { layers } = runner.decoder.weights;
    return { prefill: worst(prefill, expected), decode: worst(decode, expected), weightFormat: layers[0].output.matrix.parts[0].format.codes };
  });
}

async function withRunner<T>(files: File[], use: (runner: Runner) => Promise<T>): Promise<T> {
  const { gpu, runner } = await loadModel(files, { kvCache: "f32", contextLength: 64 }, { baseUrl: location.href });
  try {
    return await use(runner);
  } finally {
    gpu.destroy();
  }
}

function worst(found: Float32Array, expected: Float32Array): number {
  const width = expected.length / TOKENS.length;
  let most = found.length === expected.length ? 0 : Infinity;
  for (let begin = 0; begin < expected.length; begin += width) {
    const row = expected.subarray(begin, begin + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width);
    for (const [i, value] of row.entries()) most = Math.max(most, Math.abs(found[begin + i] - value) / deviation || (Number.isNaN(found[begin + i]) ? Infinity : 0));
  }
  return most;
}
