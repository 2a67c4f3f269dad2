import { decodeFloats } from "../../src/formats/floats.ts";
import { PAGE_POSITIONS, type KvType } from "../../src/kernels/kv_cache.ts";
import { encodeHalf } from "./half.ts";

/** The paged cache of one layer, on the CPU. */
export interface PagedPool {
  type: KvType;
  kvHeads: number;
  headDim: number;
  maxPages: number;
  /** The page of every 64 positions, `[slots, maxPages]`. */
  pageTable: Uint32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Whose key or value. */
export interface Place {
  slot: number;
  kvHead: number;
  position: number;
  kind: "key" | "value";
}

/** Allocate a cache of zeros, whose pages lie in the order that the table says. */
export function createPool(shape: Omit<PagedPool, "bytes">): PagedPool {
  const elements = shape.pageTable.length * shape.kvHeads * 2 * PAGE_POSITIONS * shape.headDim;
  return { ...shape, bytes: new Uint8Array(elements * elementBytes(shape.type)) };
}

/** Put one head's key or value into the cache. */
export function writeHead(pool: PagedPool, place: Place, head: ArrayLike<number>): void {
  const view = new DataView(pool.bytes.buffer);
  for (let dim = 0; dim < pool.headDim; dim++) {
    const index = elementIndex(pool, place, dim);
    if (pool.type === "f16") view.setUint16(2 * index, encodeHalf(head[dim]), true);
    else view.setFloat32(4 * index, head[dim], true);
  }
}

/** Read one head's key or value from the cache. */
export function readHead(pool: PagedPool, place: Place): Float64Array {
  const size = elementBytes(pool.type);
  return Float64Array.from({ length: pool.headDim }, (_, dim) => {
    const index = elementIndex(pool, place, dim);
    return decodeFloats(pool.bytes.subarray(size * index, size * (index + 1)), pool.type === "f16" ? "F16" : "F32")[0];
  });
}

// A page holds, for each head, its keys by chunks of eight dimensions and then by position, and its values by position.
function elementIndex({ kvHeads, headDim, maxPages, pageTable }: PagedPool, { slot, kvHead, position, kind }: Place, dim: number): number {
  const page = pageTable[slot * maxPages + Math.floor(position / PAGE_POSITIONS)];
  const offset = position % PAGE_POSITIONS;
  const base = (page * kvHeads + kvHead) * 2 * PAGE_POSITIONS * headDim;
  if (kind === "value") return base + PAGE_POSITIONS * headDim + offset * headDim + dim;
  return base + (Math.floor(dim / 8) * PAGE_POSITIONS + offset) * 8 + (dim % 8);
}

function elementBytes(type: KvType): number {
  return type === "f16" ? 2 : 4;
}
