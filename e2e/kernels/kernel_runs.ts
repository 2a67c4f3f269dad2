import { submitDispatches, type Dispatch } from "../../src/gpu/dispatch.ts";
import { Gpu, plainTraits, type GpuOptions } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { chooseSchedule, cutSchedule, usualCut, type InputForm, type Operand, type Schedule } from "../../src/kernels/schedule.ts";

/** How far one case came from its twin. */
export interface Finding {
  name: string;
  /** Largest difference, relative to the root mean square of the row it is in. */
  error: number;
}

/** Which of a page's cases to run, and on what. */
export interface CaseSelection {
  gpuOptions?: GpuOptions;
  /** Run every n-th case only. Default 1. */
  every?: number;
}

/** Run the selected cases, one after another, on one device. */
export function runCases<Case>(cases: readonly Case[], { gpuOptions = {}, every = 1 }: CaseSelection, run: (gpu: Gpu, each: Case) => Promise<Finding[]>): Promise<Finding[]> {
  return withGpu(gpuOptions, async (gpu) => {
    const findings: Finding[] = [];
    for (const each of cases.filter((_, i) => i % every === 0)) findings.push(...(await run(gpu, each)));
    return findings;
  });
}

/** Open a device for as long as `use` takes. */
export async function withGpu<T>(options: GpuOptions, use: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await Gpu.open(options);
  try {
    const result = await use(gpu);
    await gpu.idle();
    gpu.throwIfFaulty();
    return result;
  } finally {
    gpu.destroy();
  }
}

const SMALLEST_STREAM = 32; // lanes; a stream holds whole subgroups

/**
 * The schedules that kernels are tested with, whatever the adapter: those of processors, of GPUs, of GPUs with subgroups, and
 * of those whose subgroups are all as wide, by which a single row is decoded as floats, as bytes or as half floats.
 */
export function testedSchedules({ traits }: Gpu): Record<string, Schedule | undefined> & Record<"processor" | "gpu", Schedule> {
  const processor = chooseSchedule({ ...plainTraits(traits), isSoftware: true });
  const gpu = chooseSchedule({ ...plainTraits(traits), isSoftware: false });
  if (!traits.subgroups || traits.subgroups.max > SMALLEST_STREAM) return { processor, gpu };
  const subgroups: Schedule = { ...gpu, subgroups: traits.subgroups };
  if (traits.subgroups.min < traits.subgroups.max) return { processor, gpu, subgroups };
  const cut = cutSchedule({ ...usualCut(plainTraits(traits)), rowsPerStream: 4 }, traits);
  const rows = (operand: Operand): Schedule => ({ ...subgroups, ...cut, rowStreams: longStreams(cut, 20), operand });
  return { processor, gpu, subgroups, floats: rows("floats"), bytes: rows("bytes"), halves: traits.halves ? rows("halves") : undefined };
}

/** Streams of so many rows of any matrix, however few it has. */
export function longStreams({ rowStreams }: Pick<Schedule, "rowStreams">, rows: number): Schedule["rowStreams"] {
  return (...shape) => {
    const streams = rowStreams(...shape);
    return streams && { ...streams, rows };
  };
}

/** Whether the adapter can take prefill's inputs in this form; no software adapter has units that multiply matrices. */
export function takesForm({ traits }: Gpu, form: InputForm): boolean {
  return (form !== "f16" || traits.halfMatrices) && (form !== "planes" || traits.byteMatrices);
}

const USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;

/** Make a storage buffer that holds given values. */
export async function bufferOf(gpu: Gpu, label: string, values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): Promise<GPUBuffer> {
  const buffer = await gpu.allocate(label, values.byteLength, USAGE);
  gpu.device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** What a row of a step is about. */
export interface Row {
  slot: number;
  position: number;
  tokenId: number;
  runs: boolean;
}

/** Make the buffer that describes a step's rows. */
export function rowsBuffer(gpu: Gpu, rows: readonly Row[]): Promise<GPUBuffer> {
  return bufferOf(gpu, "rows", Uint32Array.from(rows.flatMap(({ slot, position, tokenId, runs }) => [slot, position, tokenId, Number(runs)])));
}

/** Run dispatches in order, in one pass. */
export function submit({ device }: Gpu, dispatches: readonly Dispatch[]): void {
  submitDispatches(device, "test", dispatches);
}

/** Read a buffer of f32 values. */
export async function readFloats(gpu: Gpu, buffer: GPUBuffer, count: number): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await readBuffer(gpu.device, buffer, count * 4));
}

/** The largest difference between rows of `width` values, relative to the expected row's root mean square. */
export function worstError(found: ArrayLike<number>, expected: ArrayLike<number>, width: number): number {
  if (found.length !== expected.length) throw new Error(`expected ${expected.length} values, found ${found.length}`);
  let worst = 0;
  for (let begin = 0; begin < expected.length; begin += width) {
    let difference = 0;
    let squares = 0;
    for (let i = begin; i < Math.min(begin + width, expected.length); i++) {
      difference = Math.max(difference, Math.abs(found[i] - expected[i]));
      squares += expected[i] ** 2;
    }
    worst = Math.max(worst, difference / (Math.sqrt(squares / width) || 1));
  }
  return worst;
}

/** The mean square of the differences, relative to that of what was expected. */
export function meanSquareError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let differences = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    differences += (found[i] - expected[i]) ** 2;
    squares += expected[i] ** 2;
  }
  return differences / squares;
}
