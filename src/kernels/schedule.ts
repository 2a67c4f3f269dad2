import type { GpuTraits } from "../gpu/gpu.ts";

/** Which tile a product of many rows is cut into: the narrow one compiles faster, which on a processor matters most. */
export type Tile = "wide" | "narrow";

/** Whole numbers of 16 bits in planes of bytes, half floats, or floats. */
export type Operand = "bytes" | "halves" | "floats";

/** How decoding's products are cut, as plain data: what is chosen by measuring, and kept. */
export interface ProductCut {
  /** Threads of a workgroup: a power of two, as are the lanes of matmul_vec. */
  workgroup: number;
  /** Rows of the matrix that a lane of matmul_row walks at most, a multiple of 4, or 4 of a matrix large enough for more than twice as many, heads aside; 0 where matmul_vec takes single rows too. */
  rowsPerStream: number;
  /** Rows of the matrix that a thread of matmul_vec computes at once. Even. */
  rowsPerThread: number;
  /** Threads that share a row of a matrix, at least. */
  leastLanes: number;
  /** And at most, where a matrix is too short to keep the memory busy. */
  mostLanes: number;
  /** Threads that keep it busy. */
  threadsWanted: number;
  /** As what matmul_row keeps its inputs for 4-bit and 8-bit weights; floats for others. */
  operand: Operand;
}

/**
 * What prefill's inputs are rounded to: whole numbers with a scale for every 32, or with one for every row half floats, or
 * whole numbers of 16 bits in planes of bytes.
 */
export type InputForm = "f32" | "f16" | "planes" | "int16" | "int8";

/** How matmul_row takes a matrix: streams of lanes, which walk so many rows each. */
export interface RowStreams {
  lanes: number;
  streams: number;
  rows: number;
}

/** How the kernels are cut to an adapter. The results are the same within rounding; only the speed differs. */
export interface Schedule extends Pick<ProductCut, "workgroup" | "rowsPerThread" | "operand"> {
  /** Threads of matmul_vec that share a row of a matrix, by its shape. */
  threadsPerRow: (rows: number, columns: number) => number;
  /** How a single row of inputs meets a matrix of this shape, unless by matmul_vec. */
  rowStreams: (rows: number, columns: number) => RowStreams | undefined;
  /** Whether a product that completes a single row prepares it for the next, which many streams of lanes read. */
  preparesNorms: boolean;
  /** Whether reductions start inside subgroups. */
  subgroups: { min: number } | undefined;
  /** Tile of prefill's products. */
  tile: Tile;
  /** As what prefill's products take their inputs; whole numbers only go with 4-bit and 8-bit weights. */
  inputForm: InputForm;
  /** Tokens of a prefill chunk, a multiple of 64. */
  prefillRows: number;
  /** Threads of a decode attention workgroup: a power of two from 16 on, fewer where workgroup memory is short, more where heads are wide. */
  attentionWorkgroup: number;
  /** Spans into which a sequence's cache is cut for decoding, by its length. */
  splits: (length: number) => number;
}

/** Parts that the output projection merges while it reads; more take a dispatch of their own. */
export const MERGED_SPLITS = 4;

const STREAM_LANES = 32; // a stream of matmul_row holds whole subgroups of any width up to this
const ROW_BATCH = 4; // rows that it takes at once
const MOST_WORKGROUPS = 8192; // of its products: the sampler reads what each of the head's has left

// One more than a power of two: behind a prompt of 8192 or 16,384 tokens a span is whole tiles still, and no small part of another.
const MANY_SPLITS = 33;

// 65,536 threads are about what keeps the memory of a large GPU busy.
const GPU_CUT: ProductCut = { workgroup: 128, rowsPerStream: 16, rowsPerThread: 4, leastLanes: 32, mostLanes: 128, threadsWanted: 65_536, operand: "floats" };
// A processor runs four threads at once, the lanes of its vectors, and the rest in turn; what a thread reads of the inputs serves many rows.
const PROCESSOR_CUT: ProductCut = { workgroup: 4, rowsPerStream: 0, rowsPerThread: 16, leastLanes: 1, mostLanes: 1, threadsWanted: 0, operand: "floats" };

/** The cut that an adapter gets unmeasured. */
export function usualCut(traits: GpuTraits): ProductCut {
  if (traits.isSoftware) return PROCESSOR_CUT;
  return isEven(traits.subgroups) ? { ...GPU_CUT, operand: traits.integerDots ? "bytes" : "floats" } : { ...GPU_CUT, rowsPerStream: 0 };
}

/** Subgroups that all are as wide: what matmul_row is written for. */
function isEven(subgroups: GpuTraits["subgroups"]): subgroups is { min: number; max: number } {
  return subgroups !== undefined && subgroups.min === subgroups.max && subgroups.min >= 4 && subgroups.max <= STREAM_LANES;
}

/** Whether two cuts are the same. */
export function isSameCut(a: ProductCut, b: ProductCut): boolean {
  const keys = ["workgroup", "rowsPerStream", "rowsPerThread", "leastLanes", "mostLanes", "threadsWanted", "operand"] as const;
  return keys.every((key) => a[key] === b[key]);
}

/** The parts of a schedule that a cut decides, on an adapter with these traits. */
export function cutSchedule(cut: ProductCut, { mostThreads }: GpuTraits): Pick<Schedule, "workgroup" | "rowsPerThread" | "operand" | "threadsPerRow" | "rowStreams"> {
  const { workgroup, rowsPerThread, operand } = cut;
  return {
    workgroup,
    rowsPerThread,
    operand,
    threadsPerRow: (rows, columns) => lanesFor(cut, rows, columns),
    rowStreams: (rows, columns) => streamsFor(cut, mostThreads, rows, columns),
  };
}

/** Other cuts that may be faster somewhere, the most promising first; a row takes `leastLanes` threads at least. */
export function otherCuts(usual: ProductCut, leastLanes: number, { halves }: Pick<GpuTraits, "halves">): ProductCut[] {
  const { workgroup, rowsPerStream, rowsPerThread, threadsWanted } = usual;
  const operands: Operand[] = halves ? ["bytes", "halves", "floats"] : ["bytes", "floats"];
  const changes: Partial<ProductCut>[] = rowsPerStream > 0 ? [
    ...operands.map((operand) => ({ operand })), // which is fast depends on the vendor, of whom only some are known
    { rowsPerStream: ROW_BATCH },
    { rowsPerStream: 4 * rowsPerStream },
    { workgroup: 2 * workgroup },
    { threadsWanted: 2 * threadsWanted },
    { rowsPerStream: 2 * rowsPerStream, threadsWanted: threadsWanted / 2 },
    { rowsPerStream: 0 },
  ] : [
    { workgroup: 2 * workgroup, rowsPerThread: rowsPerThread / 2 }, // what 1B and less gain most by on an H100
    { rowsPerThread: rowsPerThread / 2 },
    { threadsWanted: 4 * threadsWanted },
    { workgroup: workgroup / 2 },
    { workgroup: 2 * workgroup },
    { threadsWanted: threadsWanted / 4 },
    { leastLanes: usual.leastLanes / 2 },
    { rowsPerThread: 2 * rowsPerThread },
    { workgroup: workgroup / 2, rowsPerThread: rowsPerThread / 2 },
  ];
  const fits = (cut: ProductCut) => cut.rowsPerThread >= 2 && cut.leastLanes >= leastLanes && cut.workgroup >= cut.leastLanes;
  return changes.map((change) => ({ ...usual, ...change })).filter((cut) => fits(cut) && !isSameCut(cut, usual));
}

/**
 * A lane for every block of a row, and as many rows a stream as leave enough threads: then all run at once. Streams of a matrix
 * that is far larger, unless it is a head, take one batch of rows and end, so that it does not matter how many run at once.
 */
function streamsFor({ workgroup, rowsPerStream, threadsWanted }: ProductCut, mostThreads: number, rows: number, columns: number): RowStreams | undefined {
  const lanes = Math.ceil(columns / 32 / STREAM_LANES) * STREAM_LANES;
  if (rowsPerStream === 0 || lanes > mostThreads) return undefined;
  const streams = Math.max(1, Math.floor(workgroup / lanes));
  const affordable = Math.floor((rows * lanes) / threadsWanted / ROW_BATCH) * ROW_BATCH;
  const least = Math.ceil(rows / (MOST_WORKGROUPS * streams * ROW_BATCH)) * ROW_BATCH;
  const isLarge = affordable > 2 * rowsPerStream && least === ROW_BATCH;
  return { lanes, streams, rows: isLarge ? ROW_BATCH : Math.max(Math.min(affordable, rowsPerStream), least) };
}

/** A short row goes to few lanes; where a matrix has few rows, more threads share each, down to a block for each. */
function lanesFor({ workgroup, rowsPerThread, leastLanes, mostLanes, threadsWanted }: ProductCut, rows: number, columns: number): number {
  const most = Math.min(mostLanes, workgroup);
  let lanes = leastLanes;
  while (lanes < most && (rows / rowsPerThread) * lanes < threadsWanted && lanes * 32 < columns) lanes *= 2;
  return lanes;
}

/** Choose a schedule from what the adapter reports; prefill's inputs are to keep so many bits at least. */
export function chooseSchedule(traits: GpuTraits, inputBits: 8 | 16 = 16): Schedule {
  if (traits.isSoftware) {
    // One pass over the cache. A processor gains nothing from wide prefill chunks, and stops sooner between narrow ones.
    return {
      ...cutSchedule(PROCESSOR_CUT, traits),
      preparesNorms: false,
      subgroups: undefined,
      tile: "narrow",
      inputForm: "f32",
      prefillRows: 64,
      attentionWorkgroup: 16,
      splits: () => 1,
    };
  }
  const wide = traits.subgroups !== undefined && traits.subgroups.min >= 16 && traits.subgroups.max <= 32;
  return {
    ...cutSchedule(usualCut(traits), traits),
    preparesNorms: true,
    subgroups: wide ? traits.subgroups : undefined,
    tile: "wide",
    inputForm: inputForm(traits, inputBits),
    prefillRows: 512,
    attentionWorkgroup: 256,
    splits: (length) => (length <= 64 ? 1 : length <= 1024 ? MERGED_SPLITS : length <= 4096 ? 16 : MANY_SPLITS),
  };
}

function inputForm({ integerDots, halfMatrices, byteMatrices }: GpuTraits, inputBits: 8 | 16): InputForm {
  if (halfMatrices) return "f16"; // faster than bytes, and keeps more
  if (byteMatrices && inputBits === 16) return "planes"; // half as fast again as the same numbers without units, a little slower than bytes
  if (!integerDots) return "f32";
  return inputBits === 8 ? "int8" : "int16";
}
