import { loadModel, type LoadedModel } from "../../src/engine/load_model.ts";
import type { ModelSource } from "../../src/engine/options.ts";
import { randomCheckpoint, type GoldenCase } from "../support/random_checkpoint.ts";

/** The largest deviations from golden logits: absolute, and relative to the row's root mean square. */
export interface Deviation {
  absolute: number;
  relative: number;
  /** Rows whose most likely token differs. */
  otherBest: number;
}

interface Request {
  name: string;
  tokens: "tokens10" | "tokens70";
  kvCache: "f16" | "f32";
  path: "prefill" | "decode" | "chunks";
}

/** Compare a tiny random model's logits with those of Hugging Face transformers. */
export async function randomModel({ name, tokens, kvCache, path }: Request): Promise<Deviation> {
  const golden = (await (await fetch(`/e2e/goldens/${name}.json`)).json()) as GoldenCase;
  const all = new Float32Array(await (await fetch(`/e2e/goldens/${name}.f32`)).arrayBuffer());
  const vocabSize = golden.config.vocab_size as number;
  const expected = tokens === "tokens10" ? all.subarray(0, 10 * vocabSize) : all.subarray(10 * vocabSize);
  const model = await load(randomCheckpoint(golden), kvCache, golden[tokens].length);
  try {
    return deviation(await logitsOf(model, golden[tokens], path), expected, vocabSize);
  } finally {
    model.gpu.destroy();
  }
}

/** Compare a stored checkpoint's logits with golden ones given as a URL of raw f32 rows. */
export async function storedModel({ source, tokenIds, golden, kvCache, path }: { source: string; tokenIds: number[]; golden: string } & Omit<Request, "name" | "tokens">): Promise<Deviation> {
  const expected = new Float32Array(await (await fetch(golden)).arrayBuffer());
  const model = await load(source, kvCache);
  try {
    return deviation(await logitsOf(model, tokenIds, path), expected, expected.length / tokenIds.length);
  } finally {
    model.gpu.destroy();
  }
}

interface SampledRow {
  logSumExp: number;
  top: [number, number][];
  strided: number[];
}

/** Compare the bundled model with golden samples of its rows. */
export async function bundledModel({ kvCache, path }: Omit<Request, "name" | "tokens">): Promise<Deviation> {
  const golden = (await (await fetch("/e2e/goldens/hearth-tiny.json")).json()) as { tokens: number[]; stridedIds: number[]; positions: SampledRow[] };
  const model = await load("/models/hearth-tiny/", kvCache);
  try {
    const logits = await logitsOf(model, golden.tokens, path);
    const { vocabSize } = model.runner.decoder.spec;
    const rows = golden.positions.map((row) => [row.logSumExp, ...row.top.map(([, logit]) => logit), ...row.strided]);
    const found = golden.positions.map((row, i) => {
      const own = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
      return [logSumExp(own), ...row.top.map(([id]) => own[id]), ...golden.stridedIds.map((id) => own[id])];
    });
    return deviation(Float32Array.from(found.flat()), Float32Array.from(rows.flat()), rows[0].length);
  } finally {
    model.gpu.destroy();
  }
}

function load(source: ModelSource, kvCache: "f16" | "f32", contextLength?: number): Promise<LoadedModel> {
  return loadModel(source, { kvCache, contextLength }, { baseUrl: location.href });
}

async function logitsOf({ runner }: LoadedModel, tokenIds: readonly number[], path: Request["path"]): Promise<Float32Array> {
  if (path === "prefill") return runner.logits(tokenIds);
  const rows: number[] = [];
  // In chunks: every other stretch of a few tokens is prefilled, the next decoded on top of it.
  for (let position = 0; position < tokenIds.length; ) {
    if (path === "chunks" && position % 2 === 0 && position + 5 < tokenIds.length) {
      runner.prefill(tokenIds.slice(position, position + 5), position);
      position += 5;
      for (let i = 0; i < 5; i++) rows.push(...new Float32Array(runner.decoder.spec.vocabSize).fill(NaN));
      continue;
    }
    rows.push(...(await runner.forward(tokenIds[position], position)));
    position++;
  }
  return Float32Array.from(rows);
}

/** NaN marks rows that were not read back. */
function deviation(found: Float32Array, expected: Float32Array, width: number): Deviation {
  if (found.length !== expected.length) throw new Error(`expected ${expected.length} logits, found ${found.length}`);
  const result = { absolute: 0, relative: 0, otherBest: 0 };
  for (let begin = 0; begin < found.length; begin += width) {
    const [own, golden] = [found.subarray(begin, begin + width), expected.subarray(begin, begin + width)];
    if (Number.isNaN(own[0]) && Number.isNaN(own[width - 1])) continue;
    const difference = Math.max(...own.map((value, i) => Math.abs(value - golden[i])));
    const size = Math.sqrt(golden.reduce((sum, value) => sum + value * value, 0) / width);
    result.absolute = Math.max(result.absolute, difference);
    result.relative = Math.max(result.relative, difference / size);
    if (own.indexOf(Math.max(...own)) !== golden.indexOf(Math.max(...golden))) result.otherBest++;
  }
  return result;
}

function logSumExp(values: Float32Array): number {
  const highest = Math.max(...values);
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}
