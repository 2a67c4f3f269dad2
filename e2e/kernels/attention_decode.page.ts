import type { Gpu } from "../../src/gpu/gpu.ts";
import { Uploader } from "../../src/gpu/upload.ts";
import { attentionDecode, attentionMerge } from "../../src/kernels/attention.ts";
import { matmulDecode } from "../../src/kernels/matmul.ts";
import { MERGED_SPLITS } from "../../src/kernels/schedule.ts";
import { padColumns } from "../../src/quant/matrix.ts";
import { attend, prepareHead } from "../reference/attention.ts";
import { readHead, writeHead } from "../reference/kv_pages.ts";
import { product } from "../reference/matmul.ts";
import { attentionSetting, cacheError, describeShape, qkvHead, readAttended, SLOTS, type AttentionSetting, type AttentionShape } from "./attention_setting.ts";
import { bufferOf, readFloats, rowsBuffer, runCases, submit, testedSchedules, worstError, type CaseSelection, type Finding, type Row } from "./kernel_runs.ts";
import { matrixOf, randomModule, weightsOf } from "./random_matrix.ts";
import { randomValues } from "./random_values.ts";

interface DecodeCase extends AttentionShape {
  splits: 1 | 4 | 16;
  /** Tokens that each row's sequence has, this one included; 0 for a sequence that has ended. */
  lengths: readonly number[];
  /** Threads asked for: heads of 256 take 32 all the same. */
  workgroup?: number;
}

const RAGGED = [1, 63, 64, 0, 65, 127, 129, 200];
const BORDERS = [128, 65, 0, 64];

/** Head sizes, groups, splits, windows and storage take turns. */
const CASES: readonly DecodeCase[] = [
  { headDim: 8, heads: 3, kvHeads: 1, window: 0, headNorms: false, kvType: "f32", splits: 1, lengths: RAGGED },
  { headDim: 64, heads: 4, kvHeads: 4, window: 0, headNorms: false, kvType: "f32", splits: 1, lengths: RAGGED },
  { headDim: 64, heads: 14, kvHeads: 2, window: 0, headNorms: false, kvType: "f16", splits: 1, lengths: RAGGED },
  { headDim: 80, heads: 8, kvHeads: 1, window: 0, headNorms: false, rotaryDim: 32, kvType: "f32", splits: 1, lengths: RAGGED, workgroup: 128 },
  { headDim: 96, heads: 6, kvHeads: 2, window: 64, headNorms: false, kvType: "f32", splits: 1, lengths: RAGGED, workgroup: 16 },
  { headDim: 128, heads: 16, kvHeads: 1, window: 0, headNorms: true, kvType: "f16", splits: 1, lengths: BORDERS, workgroup: 16 },
  { headDim: 8, heads: 3, kvHeads: 1, window: 0, headNorms: true, kvType: "f16", splits: 4, lengths: RAGGED },
  { headDim: 64, heads: 9, kvHeads: 3, window: 100, headNorms: false, kvType: "f32", splits: 4, lengths: RAGGED },
  { headDim: 80, heads: 2, kvHeads: 2, window: 0, headNorms: false, kvType: "f16", splits: 4, lengths: [200, 0] },
  { headDim: 96, heads: 16, kvHeads: 1, window: 0, headNorms: false, kvType: "f32", splits: 4, lengths: BORDERS },
  { headDim: 128, heads: 16, kvHeads: 2, window: 0, headNorms: true, kvType: "f32", splits: 4, lengths: [129], workgroup: 128 },
  { headDim: 8, heads: 7, kvHeads: 1, window: 5, headNorms: false, kvType: "f32", splits: 16, lengths: RAGGED },
  { headDim: 64, heads: 16, kvHeads: 1, window: 0, headNorms: true, rotaryDim: 16, kvType: "f32", splits: 16, lengths: RAGGED },
  { headDim: 80, heads: 6, kvHeads: 2, window: 1, headNorms: false, kvType: "f16", splits: 16, lengths: BORDERS },
  { headDim: 128, heads: 8, kvHeads: 8, window: 0, headNorms: true, kvType: "f16", splits: 16, lengths: [200, 128] },
  { headDim: 256, heads: 2, kvHeads: 1, window: 0, headNorms: false, kvType: "f32", splits: 1, lengths: [129, 0, 64], workgroup: 16 },
  { headDim: 8, heads: 3, kvHeads: 1, window: 5, headNorms: false, kvType: "int8", splits: 1, lengths: RAGGED, workgroup: 16 },
  { headDim: 64, heads: 14, kvHeads: 2, window: 0, headNorms: true, kvType: "int8", splits: 4, lengths: RAGGED },
  { headDim: 80, heads: 6, kvHeads: 3, window: 0, headNorms: false, kvType: "int8", splits: 16, lengths: BORDERS },
  { headDim: 256, heads: 8, kvHeads: 1, window: 0, headNorms: false, kvType: "int8", splits: 1, lengths: [129, 0, 64], workgroup: 128 },
];

/** Run decode attention against its twin. */
export function decodeCases(selection: CaseSelection = {}): Promise<Finding[]> {
  return runCases(CASES, selection, runCase);
}

async function runCase(gpu: Gpu, each: DecodeCase): Promise<Finding[]> {
  const { lengths, splits, heads, headDim } = each;
  const M = lengths.length;
  const random = randomValues(headDim + heads + splits);
  const slots = random.permutation(SLOTS).subarray(0, M);
  const rows = lengths.map((length, m): Row => ({ slot: slots[m], position: Math.max(0, length - 1), tokenId: 0, runs: length > 0 }));
  const filled = Array.from({ length: SLOTS }, (_, slot) => rows.find((row) => row.slot === slot)?.position ?? 0);
  const setting = await attentionSetting(gpu, random, each, await rowsBuffer(gpu, rows), M, filled);
  const { step } = setting;
  const schedule = { ...testedSchedules(gpu).gpu, attentionWorkgroup: each.workgroup ?? 64 };
  const partials = await bufferOf(gpu, "partials", new Float32Array(M * padColumns(heads * headDim) * splits));
  const splitStats = await bufferOf(gpu, "split stats", new Float32Array(M * heads * splits * 2));
  submit(gpu, [await attentionDecode(gpu, schedule, step, splits, partials, splitStats)]);

  const name = `${describeShape(each)}, lengths ${lengths.join(" ")}, ${splits} splits`;
  const attended = decodeTwin(setting, rows);
  const findings = [{ name: `appended: ${name}`, error: await cacheError(gpu, setting, rows.filter(({ runs }) => runs)) }];
  if (splits > 1 && splits <= MERGED_SPLITS) {
    return [...findings, { name: `merged by the projection: ${name}`, error: await projectionError(gpu, setting, rows, attended, splits, partials, splitStats) }];
  }
  if (splits > 1) submit(gpu, [await attentionMerge(gpu, step, splits, partials, splitStats)]);
  const found = await readAttended(gpu, setting);
  return [...findings, { name: `attended: ${name}`, error: worstError(found, attended, attended.length / M) }];
}

/** `attended` after the step; the pool of the twin gets the rows' keys and values. */
function decodeTwin(setting: AttentionSetting, rows: readonly Row[]): Float64Array {
  const { shape, step, pool, before } = setting;
  const { heads, kvHeads, headDim, window } = shape;
  const attended = Float64Array.from(before);
  for (const [m, { slot, position, runs }] of rows.entries()) {
    if (!runs) continue;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const past = (kind: "key" | "value") => Array.from({ length: position }, (_, at) => readHead(pool, { slot, kvHead, position: at, kind }));
      const key = prepareHead(qkvHead(setting, m, "key", kvHead), position, setting.keyHeads);
      const value = qkvHead(setting, m, "value", kvHead);
      const visible = { keys: [...past("key"), key], values: [...past("value"), value], scale: step.attention.scale, window };
      for (let head = (kvHead * heads) / kvHeads; head < ((kvHead + 1) * heads) / kvHeads; head++) {
        const query = prepareHead(qkvHead(setting, m, "query", head), position, setting.queryHeads);
        attended.set(attend(query, visible), m * padColumns(heads * headDim) + head * headDim);
      }
      writeHead(pool, { slot, kvHead, position, kind: "key" }, key);
      writeHead(pool, { slot, kvHead, position, kind: "value" }, value);
    }
  }
  return attended;
}

/** Project the split parts by a random matrix, and compare the running rows with the twin's product. */
async function projectionError(
  gpu: Gpu, { step }: AttentionSetting, rows: readonly Row[], attended: Float64Array, splits: number, partials: GPUBuffer, splitStats: GPUBuffer,
): Promise<number> {
  const { heads, headDim } = step.attention;
  const columns = heads * headDim;
  const outputRows = 19;
  const uploader = await Uploader.create(gpu);
  const module = randomModule(randomValues(columns), { codes: "f16" }, outputRows, columns);
  const matrix = await matrixOf(gpu, uploader, module);
  uploader.destroy();
  const outputs = await bufferOf(gpu, "outputs", new Float32Array(step.M * outputRows));
  const projection = await matmulDecode(
    gpu,
    testedSchedules(gpu).processor,
    {
      label: "projection",
      weights: { matrix, bias: undefined },
      input: { kind: "merge", buffer: partials, splitStats, heads, headDim, splits },
      output: { kind: "store", buffer: outputs, stride: outputRows },
    },
    step.M,
    step.rows,
  );
  submit(gpu, projection);
  const found = await readFloats(gpu, outputs, step.M * outputRows);
  const expected = product(weightsOf(module), attended, { rows: outputRows, columns, M: step.M, inputStride: padColumns(columns) });
  // A row that has ended attends to nothing, and what it projects is never read.
  const running = (_: number, i: number) => rows[Math.floor(i / outputRows)].runs;
  return worstError(found.filter(running), expected.filter(running), outputRows);
}
