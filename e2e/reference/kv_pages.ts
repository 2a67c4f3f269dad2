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
  return { ...shape, bytes: new Uint8Array(shape.pageTable.length * shape.kvHeads * blockBytes(shape)) };
}

/** Put one head's key or value into the cache. */
export function writeHead(pool: PagedPool, place: Place, head: ArrayLike<number>): void {
  const view = new DataView(pool.bytes.buffer);
  const scale = pool.type === "int8" ? Math.fround(Math.max(...Array.from(head, Math.abs)) / 127) : 1;
  if (pool.type === "int8") view.setFloat32(scaleByte(pool, place), scale, true);
  for (let dim = 0; dim < pool.headDim; dim++) {
    const byte = elementByte(pool, place, dim);
    if (pool.type === "f16") view.setUint16(byte, encodeHalf(head[dim]), true);
    else if (pool.type === "f32") view.setFloat32(byte, head[dim], true);
    else view.setInt8(byte, scale && Math.round(head[dim] / scale));
  }
}

/** Read one head's key or value from the cache. */
export function readHead(pool: PagedPool, place: Place): Float64Array {
  const view = new DataView(pool.bytes.buffer);
  return Float64Array.from({ length: pool.headDim }, (_, dim) => {
    const byte = elementByte(pool, place, dim);
    if (pool.type === "f16") return decodeFloats(pool.bytes.subarray(byte, byte + 2), "F16")[0];
    if (pool.type === "f32") return view.getFloat32(byte, true);
    return view.getInt8(byte) * view.getFloat32(scaleByte(pool, place), true);
  });
}

const ELEMENT_BYTES = { f16: 2, f32: 4, int8: 1 };

// A page holds a block for each head: its keys by chunks of eight dimensions and then by position, its values by position,
// and then the scales of codes, a key's and a value's for each position.
function blockBytes({ type, headDim }: Pick<PagedPool, "type" | "headDim">): number {
  return 2 * PAGE_POSITIONS * (headDim * ELEMENT_BYTES[type] + (type === "int8" ? 4 : 0));
}

function blockBegin(pool: PagedPool, { slot, kvHead, position }: Place): number {
  const page = pool.pageTable[slot * pool.maxPages + Math.floor(position / PAGE_POSITIONS)];
  return (page * pool.kvHeads + kvHead) * blockBytes(pool);
}

function elementByte(pool: PagedPool, place: Place, dim: number): number {
  const offset = place.position % PAGE_POSITIONS;
  const key = (Math.floor(dim / 8) * PAGE_POSITIONS + offset) * 8 + (dim % 8);
  const value = (PAGE_POSITIONS + offset) * pool.headDim + dim;
  return blockBegin(pool, place) + ELEMENT_BYTES[pool.type] * (place.kind === "key" ? key : value);
}

function scaleByte(pool: PagedPool, place: Place): number {
  const codes = 2 * PAGE_POSITIONS * pool.headDim;
  return blockBegin(pool, place) + codes + 8 * (place.position % PAGE_POSITIONS) + (place.kind === "key" ? 0 : 4);
}
