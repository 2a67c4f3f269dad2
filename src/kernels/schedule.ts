import type { GpuTraits } from "../gpu/gpu.ts";

/** Which tile a product of many rows is cut into: the narrow one compiles faster, which on a processor matters most. */
export type Tile = "wide" | "narrow";

/** How the kernels are cut to an adapter. The results are the same within rounding; only the speed differs. */
export interface Schedule {
  /** Threads of a matmul_vec workgroup. */
  workgroup: number;
  /** Threads that share a row of a matrix, by its shape. */
  threadsPerRow: (rows: number, columns: number) => number;
  /** Rows of the matrix that a thread computes at once. Even. */
  rowsPerThread: number;
  /** Whether reductions start inside subgroups. */
  subgroups: { min: number } | undefined;
  /** Tile of prefill's products. */
  tile: Tile;
  /** Whether prefill's products of 4-bit and 8-bit weights take their inputs as 8-bit codes. */
  packsInputs: boolean;
  /** Tokens of a prefill chunk, a multiple of 64. */
  prefillRows: number;
  /** Threads of a decode attention workgroup at most: 64, 128 or 256. */
  attentionWorkgroup: number;
  /** Spans into which a sequence's cache is cut for decoding, by its length. */
  splits: (length: number) => number;
}

/** Parts that the output projection merges while it reads; more take a dispatch of their own. */
export const MERGED_SPLITS = 4;

const ROWS_PER_THREAD = 4;
const THREADS_WANTED = 98_304; // about what keeps the memory of a large GPU busy

/** A short row goes to one subgroup; where a matrix has few rows, more threads share each, down to a block for each. */
function lanesFor(rows: number, columns: number): number {
  let lanes = 32;
  while (lanes < 128 && (rows / ROWS_PER_THREAD) * lanes < THREADS_WANTED && lanes * 32 < columns) lanes *= 2;
  return lanes;
}

/** Choose a schedule from what the adapter reports. */
export function chooseSchedule(traits: GpuTraits): Schedule {
  if (traits.isSoftware) {
    // A processor runs a workgroup's threads in turn: rows one to a thread, and one pass over the cache. It gains nothing
    // from wide prefill chunks, and stops sooner between narrow ones.
    return {
      workgroup: 16,
      threadsPerRow: () => 1,
      rowsPerThread: 2,
      subgroups: undefined,
      tile: "narrow",
      packsInputs: false,
      prefillRows: 64,
      attentionWorkgroup: 64,
      splits: () => 1,
    };
  }
  const wide = traits.subgroups !== undefined && traits.subgroups.min >= 16 && traits.subgroups.max <= 32;
  return {
    workgroup: 128,
    threadsPerRow: lanesFor,
    rowsPerThread: ROWS_PER_THREAD,
    subgroups: wide ? traits.subgroups : undefined,
    tile: "wide",
    packsInputs: traits.integerDots,
    prefillRows: 512,
    attentionWorkgroup: 256,
    splits: (length) => (length <= 64 ? 1 : length <= 1024 ? MERGED_SPLITS : 16),
  };
}
