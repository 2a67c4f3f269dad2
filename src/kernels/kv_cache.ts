import type { Gpu } from "../gpu/gpu.ts";
import kvF16 from "../../shaders/lib/kv_f16.wgsl?raw";
import kvF32 from "../../shaders/lib/kv_f32.wgsl?raw";
import kvInt8 from "../../shaders/lib/kv_int8.wgsl?raw";
import kvPages from "../../shaders/lib/kv_pages.wgsl?raw";
import kvUnscaled from "../../shaders/lib/kv_unscaled.wgsl?raw";
import type { AttentionSpec, DecoderSpec } from "./decoder_spec.ts";
import { stateFloats } from "./recurrent.ts";

/** Positions in a page of the cache. */
export const PAGE_POSITIONS = 64;

/** How keys and values are stored. */
export type KvType = "f16" | "int8" | "f32";

/** Each way: its shader parts, and its bytes for an element and besides for a key or value of one head. */
const KV_TYPES: Record<KvType, { parts: readonly string[]; elementBytes: number; scaleBytes: number }> = {
  f16: { parts: [kvUnscaled, kvF16], elementBytes: 2, scaleBytes: 0 },
  f32: { parts: [kvUnscaled, kvF32], elementBytes: 4, scaleBytes: 0 },
  int8: { parts: [kvInt8], elementBytes: 1, scaleBytes: 4 },
};

/** The paged cache: one pool of pages per layer, and a page table that says which page holds which positions. */
export interface KvCache {
  type: KvType;
  slots: number;
  maxPages: number; // of one sequence
  pools: readonly GPUBuffer[]; // per layer that has its own keys: [slots * maxPages, kvHeads, K then V, 64, headDim], and their scales
  states: readonly GPUBuffer[]; // per layer: f32 [slots, what its recurrence remembers]
  saved: readonly GPUBuffer[]; // per layer: the same, as it was at a position to which a sequence may go back
  pageTable: GPUBuffer; // u32 [slots, maxPages]
  byteLength: number;
}

/** Bytes of one page in one layer. */
export function pageBytes(attention: AttentionSpec, type: KvType): number {
  const { elementBytes, scaleBytes } = KV_TYPES[type];
  return attention.kvHeads * 2 * PAGE_POSITIONS * (attention.headDim * elementBytes + scaleBytes);
}

/** Allocate a cache in which each of `slots` sequences may fill `contextLength` positions. */
export async function createKvCache(gpu: Gpu, spec: DecoderSpec, type: KvType, contextLength: number, slots: number): Promise<KvCache> {
  const maxPages = Math.ceil(contextLength / PAGE_POSITIONS);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const pools: GPUBuffer[] = [];
  let byteLength = 0;
  const states: GPUBuffer[] = [];
  const saved: GPUBuffer[] = [];
  for (const [layer, { attention, recurrent }] of spec.layers.entries()) {
    const poolBytes = attention && attention.kvSource === undefined ? slots * maxPages * pageBytes(attention, type) : 0;
    const stateBytes = recurrent ? slots * stateFloats(recurrent) * 4 : 0;
    pools.push(await gpu.allocate(`KV cache of layer ${layer}`, poolBytes, usage));
    states.push(await gpu.allocate(`state of layer ${layer}`, stateBytes, usage));
    saved.push(await gpu.allocate(`saved state of layer ${layer}`, stateBytes, usage));
    byteLength += poolBytes + 2 * stateBytes;
  }
  const pageTable = await gpu.allocate("page table", slots * maxPages * 4, usage);
  gpu.device.queue.writeBuffer(pageTable, 0, Uint32Array.from({ length: slots * maxPages }, (_, page) => page));
  return { type, slots, maxPages, pools, states, saved, pageTable, byteLength };
}

/** Whether some layer remembers a state, which cannot go back to an earlier position by itself. */
export function hasStates({ layers }: DecoderSpec): boolean {
  return layers.some(({ recurrent }) => recurrent !== undefined);
}

/** The longest context whose pages one binding can show. */
export function longestContext(gpu: Gpu, spec: DecoderSpec, type: KvType, slots: number): number {
  const largestPage = Math.max(1, ...spec.layers.map(({ attention }) => (attention ? pageBytes(attention, type) : 0)));
  return Math.floor(gpu.maxBindingBytes / (largestPage * slots)) * PAGE_POSITIONS;
}

/** The shader parts that read and write the cache. */
export function kvShaderParts(type: KvType): string[] {
  return [kvPages, ...KV_TYPES[type].parts];
}
