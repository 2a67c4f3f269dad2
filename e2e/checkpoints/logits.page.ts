import { loadModel } from "../../src/engine/load_model.ts";
import type { ModelSource } from "../../src/engine/options.ts";
import { Runner } from "../../src/engine/runner.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import { chooseSchedule } from "../../src/kernels/schedule.ts";
import { startText } from "../support/text_on_page.ts";
import { randomCheckpoint, type GoldenCase } from "../support/random_checkpoint.ts";

/** The largest deviations from golden logits: absolute, and relative to the row's root mean square. */
export interface Deviation {
  absolute: number;
  relative: number;
  /** Rows whose most likely token differs. */
  otherBest: number;
}

/** How positions are computed: all at once, one by one, or stretches of each in turn. */
export type Path = "prefill" | "decode" | "chunks";

type TokenList = "tokens10" | "tokens70";

/** One forward pass over some tokens. Each begins at position 0 again. */
export interface Run {
  path: Path;
  kvCache: "f16" | "f32";
}

/** Load a tiny random model, and compare the logits of each run with those of Hugging Face transformers. */
export async function randomModel({ name, runs }: { name: string; runs: readonly (Run & { tokens: TokenList })[] }): Promise<Deviation[]> {
  const golden = (await (await fetch(`/e2e/goldens/${name}.json`)).json()) as GoldenCase;
  const all = new Float32Array(await (await fetch(`/e2e/goldens/${name}.f32`)).arrayBuffer());
  const vocabSize = golden.config.vocab_size as number;
  const expected = { tokens10: all.subarray(0, 10 * vocabSize), tokens70: all.subarray(10 * vocabSize) };
  return withRunners(randomCheckpoint(golden), golden.tokens70.length, async (runners) => {
    const deviations: Deviation[] = [];
    for (const { tokens, path, kvCache } of runs) {
      deviations.push(deviation(await logitsOf(runners[kvCache], golden[tokens], path), expected[tokens], vocabSize));
    }
    return deviations;
  });
}

/** Load a stored checkpoint, and compare the logits of each run with rows of raw f32 at a URL. */
export async function storedModel({ source, tokenIds, golden, runs }: { source: string; tokenIds: number[]; golden: string; runs: readonly Run[] }): Promise<Deviation[]> {
  const expected = new Float32Array(await (await fetch(golden)).arrayBuffer());
  return withRunners(source, tokenIds.length, async (runners) => {
    const deviations: Deviation[] = [];
    for (const { path, kvCache } of runs) {
      deviations.push(deviation(await logitsOf(runners[kvCache], tokenIds, path), expected, expected.length / tokenIds.length));
    }
    return deviations;
  });
}

interface SampledRow {
  logSumExp: number;
  top: [number, number][];
  strided: number[];
}

/** Load the bundled model, and compare golden samples of its rows with those of each run. */
export async function bundledModel(runs: readonly Run[]): Promise<Deviation[]> {
  const golden = (await (await fetch("/e2e/goldens/hearth-tiny.json")).json()) as { tokens: number[]; stridedIds: number[]; positions: SampledRow[] };
  const expected = golden.positions.map((row) => [row.logSumExp, ...row.top.map(([, logit]) => logit), ...row.strided]);
  return withRunners("/models/hearth-tiny/", golden.tokens.length, async (runners) => {
    const deviations: Deviation[] = [];
    for (const { path, kvCache } of runs) {
      const { vocabSize } = runners[kvCache].decoder.spec;
      const logits = await logitsOf(runners[kvCache], golden.tokens, path);
      const found = golden.positions.map((row, i) => {
        const own = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
        return [logSumExp(own), ...row.top.map(([id]) => own[id]), ...golden.stridedIds.map((id) => own[id])];
      });
      deviations.push(deviation(Float32Array.from(found.flat()), Float32Array.from(expected.flat()), expected[0].length));
    }
    return deviations;
  });
}

/** Load weights once and run them over a cache of either kind: compiling every kernel takes longer than most runs. */
async function withRunners<T>(source: ModelSource, contextLength: number, work: (runners: Record<"f16" | "f32", Runner>) => Promise<T>): Promise<T> {
  const { device, text } = await loadModel(source, { kvCache: "f32", contextLength }, { baseUrl: location.href, startText });
  const { gpu, runner } = await device.part();
  try {
    const cache = await createKvCache(gpu, runner.decoder.spec, "f16", contextLength, 1);
    const f16 = await Runner.create(gpu, chooseSchedule(gpu.traits), { ...runner.decoder, cache }, contextLength);
    return await work({ f32: runner, f16 });
  } finally {
    text?.host.close();
    device.destroy();
  }
}

async function logitsOf(runner: Runner, tokenIds: readonly number[], path: Path): Promise<Float32Array> {
  if (path === "prefill") return runner.logits(tokenIds);
  const { vocabSize } = runner.decoder.spec;
  const rows = new Float32Array(tokenIds.length * vocabSize).fill(NaN);
  const reads: Promise<void>[] = []; // awaited together: some browsers take a tenth of a second to notice that a read is done
  const decode = async (position: number) => rows.set(await runner.forward(tokenIds[position], position), position * vocabSize);
  // In chunks: every other stretch of a few tokens is prefilled, the next decoded on top of it.
  for (let position = 0; position < tokenIds.length; ) {
    if (path === "chunks" && position % 2 === 0 && position + 5 < tokenIds.length) {
      runner.prefill(tokenIds.slice(position, position + 5), position);
      position += 5;
      continue;
    }
    reads.push(decode(position));
    position++;
  }
  await Promise.all(reads);
  return rows;
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

/** The logarithm of the sum of exponentials. */
export function logSumExp(values: Float32Array): number {
  const highest = Math.max(...values);
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}
