import type { Gpu } from "../../src/gpu/gpu.ts";
import { Uploader } from "../../src/gpu/upload.ts";
import { matmulTile, matmulDecode, type MatmulInput, type MatmulStep } from "../../src/kernels/matmul.ts";
import { createPackedInputs, isPackable, matmulPacked } from "../../src/kernels/matmul_packed.ts";
import { planForRows } from "../../src/kernels/prefill_plan.ts";
import type { InputForm, Operand, Schedule, Tile } from "../../src/kernels/schedule.ts";
import { allocateMatrix, formatKey, padColumns, type Matrix, type WeightFormat } from "../../src/quant/matrix.ts";
import { product, rmsNormalised, swiglu } from "../reference/matmul.ts";
import { striped, unstriped } from "../reference/striped.ts";
import { bufferOf, meanSquareError, readFloats, rowsBuffer, runCases, submit, takesForm, testedSchedules, withGpu, worstError, type CaseSelection, type Finding } from "./kernel_runs.ts";
import { ALL_FORMATS, randomModule, repackModule, weightsOf, withBindingLimit, type StoredModule } from "./random_matrix.ts";
import { randomValues, type RandomValues } from "./random_values.ts";

const CHUNK_ROWS = 128; // that a prefill chunk has room for: two tiles
const DEFAULT_CHUNK = 21;
const EPSILON = 1e-5;

/** A kernel, and the schedule it is cut by where it is cut by one. */
type KernelRun = `vec ${"processor" | "gpu" | "subgroups"}` | `row ${Operand}` | "tile";

interface MatmulCase {
  /** Runs of rows, one after another, each in its own format. */
  modules: readonly { format: WeightFormat; rows: number }[];
  columns: number;
  M: 1 | 2 | 4 | 8;
  /** Rows of a prefill chunk that are in use. Default 21. */
  chunk?: number;
  input: "plain" | "rms";
  output: "store" | "residual" | "swiglu";
  bias: boolean;
  /** Largest binding that the matrix may take. */
  bindingLimit?: number;
  /** Where not all: kernels take long to compile for the software adapters that tests run on. */
  runs?: readonly KernelRun[];
}

const ALL_RUNS: readonly KernelRun[] = ["vec processor", "vec gpu", "vec subgroups", "tile"];

/** Every weight format, with kernels, shapes, inputs and outputs that take turns. */
function formatCases(): MatmulCase[] {
  return ALL_FORMATS.map((format, i) => {
    const columns = [896, 1152, "scales" in format && format.group === 128 ? 1152 : 2880][i % 3];
    const output = (["store", "residual", "swiglu"] as const)[Math.floor(i / 3) % 3];
    const rows = output === "swiglu" ? [66, 98, 34][i % 3] : [67, 97, 33][i % 3];
    const turn = (i + Math.floor(i / 3)) % 3;
    const others: KernelRun[][] = [["vec gpu"], ["vec subgroups"], i % 2 === 0 ? ["tile"] : []];
    const runs: KernelRun[] = ["vec processor", ...others[turn]];
    return { modules: [{ format, rows }], columns, M: ([1, 2, 4, 8] as const)[i % 4], chunk: [70, 1, 21, 128, 64][i % 5], input: i % 2 === 0 ? "plain" : "rms", output, bias: i % 5 < 2, runs };
  });
}

const Q4: WeightFormat = { codes: "q4", scales: "f16", group: 32 };
const Q8: WeightFormat = { codes: "q8", scales: "bf16", group: 64 };
const HALF: WeightFormat = { codes: "f16" };
const BRAIN: WeightFormat = { codes: "bf16" };

/** Columns that fill no whole block, very few rows, and matrices that come in parts. */
const RAGGED_CASES: readonly MatmulCase[] = [
  { modules: [{ format: HALF, rows: 35 }], columns: 172, M: 2, input: "rms", output: "store", bias: true },
  { modules: [{ format: BRAIN, rows: 1 }], columns: 173, M: 4, input: "plain", output: "residual", bias: false, runs: ["vec processor"] },
  { modules: [{ format: { codes: "f32" }, rows: 2 }], columns: 5, M: 1, input: "rms", output: "swiglu", bias: false, runs: ["vec gpu", "tile"] },
  { modules: [{ format: Q4, rows: 3 }], columns: 32, M: 1, input: "plain", output: "store", bias: true, runs: ["vec gpu", "vec subgroups"] },
  { modules: [{ format: HALF, rows: 601 }], columns: 172, M: 1, input: "rms", output: "residual", bias: true, bindingLimit: 256 * 384, runs: ["vec processor", "vec gpu", "tile"] },
  { modules: [{ format: Q4, rows: 600 }], columns: 160, M: 2, input: "plain", output: "swiglu", bias: false, bindingLimit: 300 * 80, runs: ["vec processor", "vec gpu"] },
  { modules: [{ format: Q4, rows: 64 }, { format: Q8, rows: 16 }, { format: BRAIN, rows: 17 }], columns: 192, M: 8, input: "rms", output: "store", bias: true, runs: ["vec processor"] },
  { modules: [{ format: Q4, rows: 64 }, { format: Q8, rows: 16 }, { format: BRAIN, rows: 17 }], columns: 192, M: 1, input: "rms", output: "store", bias: true, runs: ["vec gpu"] },
  { modules: [{ format: Q8, rows: 70 }], columns: 2880, M: 2, input: "rms", output: "residual", bias: false, runs: ["vec gpu", "tile"] },
];

/** Run products of every weight format against their twins. */
export function everyFormat(selection: CaseSelection = {}): Promise<Finding[]> {
  return runCases(formatCases(), selection, runCase);
}

/** Run products of ragged shapes, and of matrices in parts, against their twins. */
export function raggedShapes(selection: CaseSelection = {}): Promise<Finding[]> {
  return runCases(RAGGED_CASES, selection, runCase);
}

/** One row of inputs: streams of one batch of rows and of several, lanes past the last block, matrices in parts, formats with bytes and without. */
const ROW_CASES: readonly MatmulCase[] = [
  { modules: [{ format: Q4, rows: 131 }], columns: 896, M: 1, input: "rms", output: "store", bias: true },
  { modules: [{ format: Q8, rows: 66 }], columns: 1152, M: 1, input: "plain", output: "swiglu", bias: false },
  { modules: [{ format: { codes: "q4", scales: "f32", group: 64 }, rows: 34 }, { format: Q8, rows: 20 }, { format: HALF, rows: 17 }], columns: 192, M: 1, input: "rms", output: "residual", bias: true },
  { modules: [{ format: BRAIN, rows: 3 }], columns: 2880, M: 1, input: "plain", output: "store", bias: false },
  { modules: [{ format: Q4, rows: 600 }], columns: 160, M: 1, input: "plain", output: "swiglu", bias: false, bindingLimit: 300 * 80 },
];

/** Run products of one row of inputs, kept in one way, against their twins; none where the adapter lacks it. */
export function singleRows({ operand, ...selection }: CaseSelection & { operand: Operand }): Promise<Finding[]> {
  return runCases(ROW_CASES.map((each) => ({ ...each, runs: [`row ${operand}`] as const })), selection, runCase);
}

/** Run a product none of whose sequences is running: the largest change to its output. */
export function allRowsEnded(): Promise<number> {
  return withGpu({}, async (gpu) => {
    const setting = await prepare(gpu, { modules: [{ format: Q4, rows: 33 }], columns: 896, M: 2, input: "plain", output: "store", bias: false });
    const found = await runVec(gpu, setting, testedSchedules(gpu).gpu, false);
    return worstError(found, setting.before.subarray(0, found.length), found.length);
  });
}

async function runCase(gpu: Gpu, each: MatmulCase): Promise<Finding[]> {
  const setting = await prepare(gpu, each);
  const expected = twin(setting);
  const findings: Finding[] = [];
  for (const kernelRun of each.runs ?? ALL_RUNS) {
    if (kernelRun === "tile") {
      for (const tile of ["narrow", "wide"] as const) {
        findings.push({ name: `matmul_tile ${tile}: ${describe(each)}`, error: await tileError(gpu, setting, expected, tile) });
      }
      continue;
    }
    const schedule = testedSchedules(gpu)[kernelRun.slice(kernelRun.indexOf(" ") + 1)];
    if (!schedule) continue; // an adapter without subgroups
    const found = await runVec(gpu, setting, each.M === 8 ? narrower(schedule) : schedule, true);
    findings.push({ name: `matmul_${kernelRun}: ${describe(each)}`, error: worstError(found, expected.subarray(0, found.length), setting.stride) });
  }
  return findings;
}

/** Eight rows of activations by four of weights would need more workgroup memory than WebGPU promises. */
function narrower(schedule: Schedule): Schedule {
  return { ...schedule, rowsPerThread: 2 };
}

function describe({ modules, columns, M, chunk = DEFAULT_CHUNK, input, output, bias }: MatmulCase): string {
  const runs = modules.map(({ format, rows }) => `${rows} rows of ${formatKey(format)}`).join(" + ");
  return `${runs}, K ${columns}, M ${M}, chunk ${chunk}, ${input} to ${output}${bias ? " with bias" : ""}`;
}

interface Setting extends MatmulCase {
  matrix: Matrix;
  weights: Float64Array;
  rows: number;
  inputs: Float32Array<ArrayBuffer>; // [CHUNK_ROWS, padded columns]
  gains: Float32Array<ArrayBuffer>;
  biases: Float32Array<ArrayBuffer>;
  /** What the output buffer holds before, padding included: [CHUNK_ROWS, stride] */
  before: Float32Array<ArrayBuffer>;
  stride: number;
}

async function prepare(gpu: Gpu, each: MatmulCase): Promise<Setting> {
  const random = randomValues(each.columns + each.modules[0].rows);
  const modules = each.modules.map(({ format, rows }) => randomModule(random, format, rows, each.columns));
  const matrix = await allocateMatrix(each.bindingLimit ? withBindingLimit(gpu, each.bindingLimit) : gpu, "weights", each.columns, modules);
  await uploadModules(gpu, matrix, modules);
  const { rows } = matrix;
  const stride = each.output === "store" ? rows : padColumns(each.output === "swiglu" ? rows / 2 : rows);
  return {
    ...each,
    matrix,
    rows,
    weights: Float64Array.from(modules.flatMap((module) => [...weightsOf(module)])),
    inputs: paddedRows(random, CHUNK_ROWS, each.columns),
    gains: paddedRows(random, 1, each.columns),
    biases: random.floats(rows + (rows % 2)),
    before: random.floats(CHUNK_ROWS * stride),
    stride,
  };
}

/** Bring stored modules into the parts of a matrix, one under another. */
export async function uploadModules(gpu: Gpu, matrix: Matrix, modules: readonly StoredModule[]): Promise<void> {
  const uploader = await Uploader.create(gpu);
  let start = 0;
  for (const module of modules) {
    await repackModule(gpu, uploader, { matrix, start, stride: 1 }, module, 99_999);
    start += module.rows;
  }
  uploader.destroy();
}

/** Random rows whose padding is zero. */
export function paddedRows(random: RandomValues, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const stride = padColumns(columns);
  const values = random.floats(rows * stride);
  return values.map((value, i) => (i % stride < columns ? value : 0));
}

/** The whole output buffer after the product, in f64. */
function twin({ columns, input, output, bias, weights, rows, inputs, gains, biases, before, stride }: Setting): Float64Array {
  const inputStride = padColumns(columns);
  const x = input === "rms" ? rmsNormalised(inputs, gains, { M: CHUNK_ROWS, width: columns, stride: inputStride, epsilon: EPSILON }) : inputs;
  const y = product(weights, x, { rows, columns, M: CHUNK_ROWS, inputStride }, bias ? biases : undefined);
  const results = output === "swiglu" ? swiglu(y) : y;
  const width = results.length / CHUNK_ROWS;
  return Float64Array.from(before, (old, i) => {
    const column = i % stride;
    if (column >= width) return old;
    const result = results[Math.floor(i / stride) * width + column];
    return output === "residual" ? old + result : result;
  });
}

async function stepOf(gpu: Gpu, setting: Setting): Promise<{ step: MatmulStep; read: (rows: number) => Promise<Float32Array> }> {
  const { matrix, inputs, gains, biases, before, stride } = setting;
  const inputBuffer = await bufferOf(gpu, "inputs", striped(inputs, matrix.paddedColumns));
  const input: MatmulInput =
    setting.input === "rms"
      ? { kind: "rms", buffer: inputBuffer, gains: await bufferOf(gpu, "gains", striped(gains, matrix.paddedColumns)), width: setting.columns, epsilon: EPSILON }
      : { kind: "plain", buffer: inputBuffer };
  const isStriped = setting.output !== "store";
  const outputs = await bufferOf(gpu, "outputs", isStriped ? striped(before, stride) : before);
  const bias = setting.bias ? await bufferOf(gpu, "bias", biases) : undefined;
  return {
    step: { label: "test", weights: { matrix, bias }, input, output: setting.output === "swiglu" ? { kind: "glu", activation: "silu", buffer: outputs, stride } : { kind: setting.output, buffer: outputs, stride } },
    read: async (rows) => {
      const found = await readFloats(gpu, outputs, rows * stride);
      return isStriped ? unstriped(found, stride) : found;
    },
  };
}

async function runVec(gpu: Gpu, setting: Setting, schedule: Schedule, runs: boolean): Promise<Float32Array> {
  const { M } = setting;
  const { step, read } = await stepOf(gpu, setting);
  const rows = await rowsBuffer(gpu, Array.from({ length: M }, (_, m) => ({ slot: m, position: 0, tokenId: 0, runs: runs && m !== 1 })));
  submit(gpu, await matmulDecode(gpu, schedule, step, M, rows));
  return read(M);
}

const PACKED_CASES: readonly MatmulCase[] = [
  { modules: [{ format: Q4, rows: 67 }], columns: 896, M: 1, chunk: 70, input: "rms", output: "store", bias: true },
  { modules: [{ format: { codes: "q4", scales: "f32", group: 64 }, rows: 130 }], columns: 1152, M: 1, chunk: 21, input: "plain", output: "swiglu", bias: false },
  { modules: [{ format: Q8, rows: 64 }, { format: Q4, rows: 33 }], columns: 192, M: 1, chunk: 128, input: "rms", output: "residual", bias: true },
  { modules: [{ format: Q8, rows: 70 }], columns: 2880, M: 1, chunk: 1, input: "plain", output: "store", bias: false },
];

// How much finer than bytes these forms are.
const FORMS = { int8: 1, int16: 256, f16: 4, planes: 16 };

/** Run products of packed inputs against their twins; the error is the normalised mean square, 1 where unused rows were touched. */
export function packedInputs(selection: CaseSelection = {}): Promise<Finding[]> {
  return runCases(PACKED_CASES, selection, async (gpu, each) => {
    const findings: Finding[] = [];
    for (const [form, finer] of Object.entries(FORMS) as [keyof typeof FORMS, number][]) {
      if (!takesForm(gpu, form)) continue;
      for (const outlier of [1, 1000]) {
        const setting = await prepare(gpu, each);
        for (let i = 5; i < setting.inputs.length; i += setting.matrix.paddedColumns) setting.inputs[i] *= outlier;
        const error = (await packedError(gpu, setting, form)) * finer ** 2; // a mean square
        findings.push({ name: `matmul_packed: ${describe(each)}, ${form}, one channel times ${outlier}`, error });
      }
    }
    return findings;
  });
}

async function packedError(gpu: Gpu, setting: Setting, form: InputForm): Promise<number> {
  const { chunk = DEFAULT_CHUNK, before, stride, matrix } = setting;
  const { step, read } = await stepOf(gpu, setting);
  const rows = await rowsBuffer(gpu, Array.from({ length: CHUNK_ROWS }, (_, m) => ({ slot: 0, position: m, tokenId: 0, runs: m < chunk })));
  const inputs = await createPackedInputs(gpu, CHUNK_ROWS, matrix.paddedColumns, form);
  if (!isPackable(matrix, inputs)) throw new Error(`expected packable weights: ${describe(setting)}`);
  submit(gpu, planForRows(await matmulPacked(gpu, step, inputs, CHUNK_ROWS, rows), chunk));
  const found = await read(CHUNK_ROWS);
  const used = chunk * stride;
  const unused = Math.ceil(chunk / 8) * 8 * stride;
  if (worstError(found.subarray(unused), before.subarray(unused), stride) > 0) return 1;
  return meanSquareError(found.subarray(0, used), twin(setting).subarray(0, used));
}

/** Rows in use are compared with the twin's, and rows past the last eight in use with what was there before. */
async function tileError(gpu: Gpu, setting: Setting, expected: Float64Array, tile: Tile): Promise<number> {
  const { chunk = DEFAULT_CHUNK, before, stride } = setting;
  const { step, read } = await stepOf(gpu, setting);
  const rows = await rowsBuffer(gpu, Array.from({ length: CHUNK_ROWS }, (_, m) => ({ slot: 0, position: m, tokenId: 0, runs: m < chunk })));
  submit(gpu, planForRows(await matmulTile(gpu, tile, step, CHUNK_ROWS, rows), chunk));
  const found = await read(CHUNK_ROWS);
  const used = chunk * stride;
  const unused = Math.ceil(chunk / 8) * 8 * stride;
  return Math.max(worstError(found.subarray(0, used), expected.subarray(0, used), stride), worstError(found.subarray(unused), before.subarray(unused), stride));
}
