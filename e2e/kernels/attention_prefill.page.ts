import type { Gpu } from "../../src/gpu/gpu.ts";
import { attentionPrefill, ropeAppend } from "../../src/kernels/attention.ts";
import { planForRows } from "../../src/kernels/prefill_plan.ts";
import { padColumns } from "../../src/quant/matrix.ts";
import { attend, prepareHead } from "../reference/attention.ts";
import { readHead, writeHead, type Place } from "../reference/kv_pages.ts";
import { striped } from "../reference/striped.ts";
import { attentionSetting, cacheError, describeShape, qkvHead, readAttended, type AttentionSetting, type AttentionShape } from "./attention_setting.ts";
import { bufferOf, readFloats, runCases, submit, worstError, type CaseSelection, type Finding } from "./kernel_runs.ts";
import { randomValues } from "./random_values.ts";

interface PrefillCase extends AttentionShape {
  /** Tokens that the cache holds before. */
  cached: number;
  /** Tokens of each chunk. */
  chunks: readonly number[];
}

const M = 64; // rows that a chunk has room for
const SLOT = 3;

const CASES: readonly PrefillCase[] = [
  { headDim: 8, heads: 3, kvHeads: 1, window: 0, headNorms: false, kvType: "f32", cached: 0, chunks: [1, 63, 2] },
  { headDim: 64, heads: 7, kvHeads: 1, window: 0, headNorms: false, kvType: "f32", cached: 0, chunks: [50, 64] },
  { headDim: 64, heads: 4, kvHeads: 2, window: 40, headNorms: true, rotaryDim: 32, kvType: "f16", cached: 60, chunks: [9, 64] },
  { headDim: 80, heads: 3, kvHeads: 3, window: 0, headNorms: false, kvType: "f16", cached: 120, chunks: [13, 7] },
  { headDim: 96, heads: 6, kvHeads: 2, window: 0, headNorms: false, kvType: "f32", cached: 0, chunks: [64, 1] },
  { headDim: 128, heads: 2, kvHeads: 1, window: 1, headNorms: true, kvType: "f32", cached: 63, chunks: [2, 33] },
  { headDim: 128, heads: 4, kvHeads: 2, window: 0, headNorms: true, kvType: "f32", cached: 127, chunks: [2, 17] },
  { headDim: 8, heads: 3, kvHeads: 1, window: 0, headNorms: true, kvType: "int8", cached: 0, chunks: [1, 63, 2] },
  { headDim: 80, heads: 4, kvHeads: 2, window: 40, headNorms: false, kvType: "int8", cached: 60, chunks: [9, 64] },
  { headDim: 512, heads: 2, kvHeads: 1, window: 0, headNorms: false, kvType: "int8", cached: 63, chunks: [3] },
];

/** Prefill chunk after chunk of one sequence, against the twin. */
export function prefillCases(selection: CaseSelection = {}): Promise<Finding[]> {
  return runCases(CASES, selection, runCase);
}

async function runCase(gpu: Gpu, each: PrefillCase): Promise<Finding[]> {
  const random = randomValues(each.headDim + each.heads);
  const filled = [0, 0, 70, each.cached]; // another sequence's positions must not be seen
  const rows = await bufferOf(gpu, "rows", new Uint32Array(4 * M));
  const setting = await attentionSetting(gpu, random, each, rows, M, filled);
  const dispatches = [await ropeAppend(gpu, setting.step), await attentionPrefill(gpu, setting.step)];
  const findings: Finding[] = [];
  let position = each.cached;
  for (const count of each.chunks) {
    const name = `${describeShape(each)}, ${count} tokens after ${position}`;
    setting.qkv.set(random.floats(setting.qkv.length));
    writeChunk(gpu, setting, position, count);
    submit(gpu, planForRows(dispatches, count));
    const chunk = Array.from({ length: count }, (_, m) => ({ slot: SLOT, position: position + m }));
    const { attended, queries } = prefillTwin(setting, position, count);
    const found = await readAttended(gpu, setting);
    const foundQueries = await rotatedQueries(gpu, setting, count);
    findings.push({ name: `attended: ${name}`, error: worstError(found, attended, attended.length / M) });
    findings.push({ name: `queries: ${name}`, error: worstError(foundQueries, queries, each.headDim) });
    findings.push({ name: `appended: ${name}`, error: await cacheError(gpu, setting, chunk) });
    gpu.device.queue.writeBuffer(setting.step.pool, 0, setting.pool.bytes); // the twin's halves and codes, wherever they were rounded
    position += count;
  }
  return findings;
}

function writeChunk(gpu: Gpu, { step, qkv, before }: AttentionSetting, position: number, count: number): void {
  const rows = new Uint32Array(4 * M);
  for (let m = 0; m < count; m++) rows.set([SLOT, position + m, 0, 1], 4 * m);
  gpu.device.queue.writeBuffer(step.rows, 0, rows);
  gpu.device.queue.writeBuffer(step.qkv, 0, qkv);
  gpu.device.queue.writeBuffer(step.attended, 0, striped(before, before.length / M));
}

/** Append the chunk to the twin's pool, then let every row attend; keys and values are what the cache kept of them. */
function prefillTwin(setting: AttentionSetting, position: number, count: number): { attended: Float64Array; queries: Float64Array } {
  const { shape, step, pool, before } = setting;
  const { heads, kvHeads, headDim, window } = shape;
  const attended = Float64Array.from(before);
  const queries = new Float64Array(count * heads * headDim);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    for (let m = 0; m < count; m++) {
      const place = { slot: SLOT, kvHead, position: position + m };
      writeHead(pool, { ...place, kind: "key" }, prepareHead(qkvHead(setting, m, "key", kvHead), position + m, setting.keyHeads));
      writeHead(pool, { ...place, kind: "value" }, qkvHead(setting, m, "value", kvHead));
    }
    const past = (kind: Place["kind"]) => Array.from({ length: position + count }, (_, at) => readHead(pool, { slot: SLOT, kvHead, position: at, kind }));
    const [keys, values] = [past("key"), past("value")];
    for (let m = 0; m < count; m++) {
      const visible = { keys: keys.slice(0, position + m + 1), values: values.slice(0, position + m + 1), scale: step.attention.scale, window };
      for (let head = (kvHead * heads) / kvHeads; head < ((kvHead + 1) * heads) / kvHeads; head++) {
        const query = prepareHead(qkvHead(setting, m, "query", head), position + m, setting.queryHeads);
        queries.set(query, (m * heads + head) * headDim);
        attended.set(attend(query, visible), m * padColumns(heads * headDim) + head * headDim);
      }
    }
  }
  return { attended, queries };
}

async function rotatedQueries(gpu: Gpu, { step, shape, qkv }: AttentionSetting, count: number): Promise<Float32Array> {
  const found = await readFloats(gpu, step.qkv, qkv.length);
  const stride = qkv.length / M;
  return found.filter((_, i) => i < count * stride && i % stride < shape.heads * shape.headDim);
}
