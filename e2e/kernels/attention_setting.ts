import type { Gpu } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import type { AttentionStep } from "../../src/kernels/attention.ts";
import type { AttentionSpec } from "../../src/kernels/decoder_spec.ts";
import type { RopeSpec } from "../../src/kernels/rope_spec.ts";
import { ropeTable } from "../../src/kernels/decoder_weights.ts";
import { pageBytes, type KvCache, type KvType } from "../../src/kernels/kv_cache.ts";
import { padColumns } from "../../src/quant/matrix.ts";
import type { HeadPreparation } from "../reference/attention.ts";
import { createPool, readHead, writeHead, type PagedPool, type Place } from "../reference/kv_pages.ts";
import { striped, unstriped } from "../reference/striped.ts";
import { bufferOf, readFloats, worstError } from "./kernel_runs.ts";
import type { RandomValues } from "./random_values.ts";

/** The shape of an attention under test. */
export interface AttentionShape {
  kvType: KvType;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** All dimensions of a head where absent. */
  rotaryDim?: number;
  window: number;
  headNorms: boolean;
}

/** Attention over one layer with random contents: on the GPU as the step, on the CPU beside it. */
export interface AttentionSetting {
  shape: AttentionShape;
  step: AttentionStep;
  pool: PagedPool;
  qkv: Float32Array<ArrayBuffer>; // [M, (heads + 2 kvHeads) headDim]
  before: Float32Array<ArrayBuffer>; // what `attended` holds before: [M, heads headDim, padded]
  queryHeads: HeadPreparation;
  keyHeads: HeadPreparation;
}

const EPSILON = 1e-6;
const CONTEXT = 256;

/** Sequences that a setting has room for, more than it has rows. */
export const SLOTS = 10;

/** Make a setting whose cache holds random keys and values in `filled[slot]` leading positions, on pages in random order. */
export async function attentionSetting(gpu: Gpu, random: RandomValues, shape: AttentionShape, rows: GPUBuffer, M: number, filled: readonly number[]): Promise<AttentionSetting> {
  const { heads, kvHeads, headDim, kvType } = shape;
  const rope: RopeSpec = ropeOf(shape.rotaryDim ?? headDim);
  const attention = specOf(shape, rope);
  const maxPages = CONTEXT / 64;
  const pool = createPool({ type: kvType, kvHeads, headDim, maxPages, pageTable: random.permutation(SLOTS * maxPages) });
  fillPool(random, pool, filled);
  const gains = random.floats(2 * headDim).map((gain) => 1 + 0.3 * gain);
  const preparation = (own: Float32Array): HeadPreparation => ({ rope, epsilon: EPSILON, gains: shape.headNorms ? own : undefined });
  const qkv = random.floats(M * (heads + 2 * kvHeads) * headDim);
  const before = random.floats(M * padColumns(heads * headDim));
  const poolBuffer = await bufferOf(gpu, "pool", pool.bytes);
  if (poolBuffer.size !== SLOTS * maxPages * pageBytes(attention, kvType)) throw new Error("the twin's pages differ in size");
  const cache: KvCache = { type: kvType, slots: SLOTS, maxPages, pools: [poolBuffer], states: [], saved: [], pageTable: await bufferOf(gpu, "page table", pool.pageTable), byteLength: poolBuffer.size };
  const step: AttentionStep = {
    label: "test",
    attention,
    M,
    qkv: await bufferOf(gpu, "qkv", qkv),
    attended: await bufferOf(gpu, "attended", striped(before, padColumns(heads * headDim))),
    rope: await bufferOf(gpu, "rope", ropeTable(rope, CONTEXT)),
    headGains: await bufferOf(gpu, "head gains", Float32Array.of(...gains, ...new Float32Array(heads))),
    cache,
    pool: poolBuffer,
    rows,
  };
  return { shape, step, pool, qkv, before, queryHeads: preparation(gains.subarray(0, headDim)), keyHeads: preparation(gains.subarray(headDim)) };
}

/** One head of one row of `qkv`: queries, then keys, then values. */
export function qkvHead({ qkv, shape }: AttentionSetting, m: number, kind: "query" | "key" | "value", head: number): Float64Array {
  const { heads, kvHeads, headDim } = shape;
  const index = head + { query: 0, key: heads, value: heads + kvHeads }[kind];
  const begin = (m * (heads + 2 * kvHeads) + index) * headDim;
  return Float64Array.from(qkv.subarray(begin, begin + headDim));
}

/** Read `attended`, `[M, heads headDim, padded]`. */
export async function readAttended(gpu: Gpu, { step, before, shape }: AttentionSetting): Promise<Float32Array> {
  return unstriped(await readFloats(gpu, step.attended, before.length), padColumns(shape.heads * shape.headDim));
}

/** How far the new places of the cache are from the twin's; infinitely when anything else changed. */
export async function cacheError(gpu: Gpu, { step, pool, shape }: AttentionSetting, appended: readonly { slot: number; position: number }[]): Promise<number> {
  const found = { ...pool, bytes: new Uint8Array(await readBuffer(gpu.device, step.pool)) };
  let worst = 0;
  for (const { slot, position } of appended) {
    for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
      for (const kind of ["key", "value"] as const) {
        const place: Place = { slot, kvHead, position, kind };
        worst = Math.max(worst, worstError(readHead(found, place), readHead(pool, place), shape.headDim));
        writeHead(found, place, readHead(pool, place));
      }
    }
  }
  return found.bytes.every((byte, i) => byte === pool.bytes[i]) ? worst : Infinity;
}

/** What an attention is, in a few words. */
export function describeShape({ kvType, heads, kvHeads, headDim, rotaryDim, window, headNorms }: AttentionShape): string {
  const details = [rotaryDim && `rotary ${rotaryDim}`, window > 0 && `window ${window}`, headNorms && "head norms"].filter(Boolean);
  return [`head size ${headDim}, ${heads} heads over ${kvHeads}, ${kvType}`, ...details].join(", ");
}

function specOf({ heads, kvHeads, headDim, window, headNorms }: AttentionShape, rope: RopeSpec): AttentionSpec {
  const unused = { label: "", rows: 0, columns: 0, sources: [] };
  const norm = { kind: "rms", module: "", epsilon: EPSILON, gainOffset: 0, bias: false } as const;
  return {
    heads,
    kvHeads,
    headDim,
    scale: 1 / Math.sqrt(headDim),
    window,
    scoreCap: 0,
    isGated: false,
    rope,
    queryKeyNorm: headNorms ? { kind: "head", query: norm, key: norm } : { kind: "none" },
    sinks: undefined,
    qkv: unused,
    output: unused,
  };
}

function ropeOf(rotaryDim: number): RopeSpec {
  const inverseFrequencies = Array.from({ length: rotaryDim / 2 }, (_, pair) => 10_000 ** ((-2 * pair) / rotaryDim));
  return { rotaryDim, isInterleaved: false, inverseFrequencies, attentionFactor: 1.1, queryGrowth: { beta: 0, span: 1 } };
}

function fillPool(random: RandomValues, pool: PagedPool, filled: readonly number[]): void {
  for (const [slot, positions] of filled.entries()) {
    for (let position = 0; position < positions; position++) {
      for (let kvHead = 0; kvHead < pool.kvHeads; kvHead++) {
        writeHead(pool, { slot, kvHead, position, kind: "key" }, random.floats(pool.headDim));
        writeHead(pool, { slot, kvHead, position, kind: "value" }, random.floats(pool.headDim));
      }
    }
  }
}
