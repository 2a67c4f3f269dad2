import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader, type ShaderConstants } from "../gpu/shader.ts";
import { padColumns } from "../quant/matrix.ts";
import attentionDecodeShader from "../../shaders/attention_decode.wgsl?raw";
import attentionGateShader from "../../shaders/attention_gate.wgsl?raw";
import attentionMergeShader from "../../shaders/attention_merge.wgsl?raw";
import attentionPrefillShader from "../../shaders/attention_prefill.wgsl?raw";
import block from "../../shaders/lib/block.wgsl?raw";
import cap from "../../shaders/lib/cap.wgsl?raw";
import rotate from "../../shaders/lib/rotate.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import ropeAppendShader from "../../shaders/rope_append.wgsl?raw";
import type { AttentionSpec } from "./decoder_spec.ts";
import { kvShaderParts, type KvCache } from "./kv_cache.ts";
import type { RowDispatch } from "./matmul.ts";
import type { Schedule } from "./schedule.ts";

/** What attention over one layer works on. */
export interface AttentionStep {
  label: string;
  attention: AttentionSpec;
  M: number;
  qkv: GPUBuffer; // f32 [M, qkvWidth]
  attended: GPUBuffer; // f32 [M, heads headDim, padded], striped
  rope: GPUBuffer;
  headGains: GPUBuffer;
  cache: KvCache;
  pool: GPUBuffer;
  rows: GPUBuffer;
}

/** Floats of one row of queries, keys, values and gates. */
export function qkvWidth({ heads, kvHeads, headDim, isGated, kvSource }: AttentionSpec): number {
  return ((isGated ? 2 : 1) * heads + (kvSource === undefined ? 2 * kvHeads : 0)) * headDim;
}

const MAX_GROUP = 4; // query heads of one workgroup: the components of its vectors

/** How many query heads a workgroup takes: as many as share a key-value head, if they fit. */
function queryGroup({ heads, kvHeads }: AttentionSpec): number {
  const sharing = heads / kvHeads;
  for (let group = Math.min(MAX_GROUP, sharing); group > 1; group--) {
    if (sharing % group === 0) return group;
  }
  return 1;
}

const WORKGROUP_MEMORY = 16_384; // bytes that every WebGPU device has

/** The widest decode workgroup, up to the schedule's, whose heads, scores and sums fit in workgroup memory; a thread for every eight dimensions at least. */
function decodeWorkgroup(schedule: Schedule, { headDim }: AttentionSpec, group: number): number {
  const subsets = (workgroup: number) => Math.max(Math.floor((8 * workgroup) / headDim), 1);
  const bytes = (workgroup: number) => 4 * ((group + 1) * (headDim + headDim / 4) + 64 + workgroup * 12 + 4 * subsets(workgroup));
  let workgroup = schedule.attentionWorkgroup;
  while (workgroup > 64 && bytes(workgroup) > WORKGROUP_MEMORY) workgroup /= 2;
  while (8 * workgroup < headDim) workgroup *= 2;
  return workgroup;
}

function sharedConstants(step: AttentionStep): ShaderConstants {
  const { heads, kvHeads, headDim, scale, scoreCap, window, rope, queryKeyNorm, sinks, kvSource } = step.attention;
  const headNorm = queryKeyNorm.kind === "head" || queryKeyNorm.kind === "headAfterRotation" ? queryKeyNorm : undefined;
  return {
    M: step.M,
    HEADS: heads,
    KV_HEADS: kvHeads,
    HEAD_DIM: headDim,
    MAX_PAGES: step.cache.maxPages,
    QKV_STRIDE: qkvWidth(step.attention),
    OUTPUT_STRIDE: padColumns(heads * headDim),
    SCALE: scale,
    WINDOW: window,
    CAP: scoreCap,
    SINKS: sinks !== undefined,
    OWNS_KEYS: kvSource === undefined,
    ROTARY_DIM: rope.rotaryDim,
    INTERLEAVED: rope.isInterleaved,
    QUERY_BETA: rope.queryGrowth.beta,
    QUERY_SPAN: rope.queryGrowth.span,
    QK_NORM: headNorm !== undefined,
    GAINS_LAST: headNorm?.kind === "headAfterRotation",
    EPSILON: headNorm?.query.epsilon ?? 0,
  };
}

function kvBindings(step: AttentionStep) {
  return { 8: step.pool, 9: step.cache.pageTable, 10: step.rows };
}

/** Prepare decode attention, in `splits` spans; more than one span leaves parts to be merged in `partials` and `splitStats`. */
export async function attentionDecode(
  gpu: Gpu, schedule: Schedule, step: AttentionStep, splits: number, partials: GPUBuffer, splitStats: GPUBuffer,
): Promise<Dispatch> {
  const { heads, kvHeads } = step.attention;
  const group = queryGroup(step.attention);
  const groups = heads / kvHeads / group;
  const code = assembleShader([stepPart, ...kvShaderParts(step.cache.type), block, cap, rotate, attentionDecodeShader], {
    ...sharedConstants(step),
    GROUP: group,
    GROUPS: groups,
    VECTORS: group + (step.attention.kvSource === undefined ? 1 : 0),
    SPLITS: splits,
    WORKGROUP: decodeWorkgroup(schedule, step.attention, group),
  });
  const label = `attention_decode ${step.label}`;
  const pipeline = await gpu.compile(label, code);
  const buffers = { 0: step.qkv, 1: step.rope, 2: step.headGains, 3: splits === 1 ? step.attended : partials, 4: splitStats };
  return prepareDispatch(gpu.device, label, pipeline, { ...buffers, ...kvBindings(step) }, [kvHeads * groups, splits, step.M]);
}

// Quads of a row that a workgroup merges, and the threads among which a quad's parts are shared.
const MERGE_CUT = { QUADS: 8, SHARES: 16 };

/** Prepare the merge of many attention parts into `attended`. */
export async function attentionMerge(gpu: Gpu, step: AttentionStep, splits: number, partials: GPUBuffer, splitStats: GPUBuffer): Promise<Dispatch> {
  const { heads, headDim } = step.attention;
  const constants = { M: step.M, K: padColumns(heads * headDim), HEADS: heads, HEAD_DIM: headDim, SPLITS: splits, ...MERGE_CUT };
  const code = assembleShader([block, stepPart, attentionMergeShader], constants);
  const label = `attention_merge ${step.label}`;
  const pipeline = await gpu.compile(label, code);
  const buffers = { 0: partials, 1: splitStats, 2: step.attended };
  return prepareDispatch(gpu.device, label, pipeline, { ...buffers, 10: step.rows }, [Math.ceil((heads * headDim) / 4 / MERGE_CUT.QUADS), step.M, 1]);
}

/** Prepare the rotation of a prefill chunk's heads and the append of its keys and values. */
export async function ropeAppend(gpu: Gpu, step: AttentionStep): Promise<RowDispatch> {
  const { heads, kvHeads, kvSource } = step.attention;
  const constants = { ...sharedConstants(step), VECTORS: 1, WORKGROUP: 64 };
  const code = assembleShader([stepPart, ...kvShaderParts(step.cache.type), rotate, ropeAppendShader], constants);
  const label = `rope_append ${step.label}`;
  const pipeline = await gpu.compile(label, code);
  const buffers = { 0: step.qkv, 1: step.rope, 2: step.headGains };
  const dispatch = prepareDispatch(gpu.device, label, pipeline, { ...buffers, ...kvBindings(step) }, [heads + (kvSource === undefined ? kvHeads : 0), 1, 1]);
  return { ...dispatch, rowsPerWorkgroup: 1 };
}

/** Prepare causal attention of a prefill chunk. */
export async function attentionPrefill(gpu: Gpu, step: AttentionStep): Promise<RowDispatch> {
  const code = assembleShader([stepPart, ...kvShaderParts(step.cache.type), block, cap, attentionPrefillShader], sharedConstants(step));
  const label = `attention_prefill ${step.label}`;
  const pipeline = await gpu.compile(label, code);
  const buffers = { 0: step.qkv, 1: step.attended, 2: step.headGains };
  const dispatch = prepareDispatch(gpu.device, label, pipeline, { ...buffers, ...kvBindings(step) }, [step.attention.heads, 1, 1]);
  return { ...dispatch, rowsPerWorkgroup: 8 };
}

/** Prepare the gates of attention's result; nothing where there are none. */
export async function attentionGate(gpu: Gpu, { attention, M, qkv, attended, rows }: AttentionStep): Promise<RowDispatch[]> {
  if (!attention.isGated) return [];
  const { heads, kvHeads, headDim } = attention;
  const WIDTH = heads * headDim;
  const constants = { M, WIDTH, GATE_START: (heads + 2 * kvHeads) * headDim, QKV_STRIDE: qkvWidth(attention), OUTPUT_STRIDE: padColumns(WIDTH) };
  const pipeline = await gpu.compile("attention_gate", assembleShader([block, stepPart, attentionGateShader], constants));
  const dispatch = prepareDispatch(gpu.device, "attention_gate", pipeline, { 0: qkv, 1: attended, 10: rows }, [1, M, 1]);
  return [{ ...dispatch, rowsPerWorkgroup: 1 }];
}
