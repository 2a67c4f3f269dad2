// Runs in a page: a product that completes the residual stream and prepares it, and the product that reads it normalised.
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { LayerStep } from "../../src/kernels/branch.ts";
import { matmulDecode, workgroupCount, type MatmulStep } from "../../src/kernels/matmul.ts";
import { prepareNorms } from "../../src/kernels/prepared_norms.ts";
import type { Schedule } from "../../src/kernels/schedule.ts";
import { allocateMatrix, padColumns, type Matrix, type WeightFormat } from "../../src/quant/matrix.ts";
import { product, rmsNormalised } from "../reference/matmul.ts";
import { striped, unstriped } from "../reference/striped.ts";
import { bufferOf, readFloats, rowsBuffer, runCases, submit, testedSchedules, worstError, type CaseSelection, type Finding } from "./kernel_runs.ts";
import { paddedRows, uploadModules } from "./matmul.page.ts";
import { randomModule, weightsOf, withBindingLimit } from "./random_matrix.ts";
import { randomValues, type RandomValues } from "./random_values.ts";

interface PairCase {
  /** Of the residual stream. */
  width: number;
  /** Of the first product's inputs. */
  columns: number;
  format: WeightFormat;
  hasBias: boolean;
  /** Largest binding that the first matrix may take: its parts leave their sums one after another. */
  bindingLimit?: number;
}

const Q4: WeightFormat = { codes: "q4", scales: "f16", group: 32 };
const CASES: readonly PairCase[] = [
  { width: 896, columns: 160, format: Q4, hasBias: false },
  { width: 173, columns: 64, format: { codes: "f16" }, hasBias: true }, // the second of its last pair of rows lies past the end
  { width: 608, columns: 160, format: Q4, hasBias: true, bindingLimit: 300 * 80 },
];
const ROWS_AFTER = 67; // of the second matrix
const EPSILON = 1e-5;

/** Run pairs of products, under every schedule of GPUs, against their twins. */
export function pairs(selection: CaseSelection = {}): Promise<Finding[]> {
  return runCases(CASES, selection, runPair);
}

async function runPair(gpu: Gpu, { width, columns, format, hasBias, bindingLimit }: PairCase): Promise<Finding[]> {
  const random = randomValues(width + columns);
  const stride = padColumns(width);
  const first = await randomMatrix(bindingLimit ? withBindingLimit(gpu, bindingLimit) : gpu, random, format, width, columns);
  const next = await randomMatrix(gpu, random, format, ROWS_AFTER, width);
  const [inputs, stream, gains] = [paddedRows(random, 1, columns), paddedRows(random, 1, width), paddedRows(random, 1, width)];
  const biases = random.floats(width + (width % 2));
  const added = product(first.weights, inputs, { rows: width, columns, M: 1, inputStride: padColumns(columns) }, hasBias ? biases : undefined);
  const completed = Float64Array.from(stream, (value, i) => value + (added[i] ?? 0));
  const normed = rmsNormalised(completed, gains, { M: 1, width, stride, epsilon: EPSILON });
  const expected = product(next.weights, normed, { rows: ROWS_AFTER, columns: width, M: 1, inputStride: stride }, undefined);

  const inputBuffer = await bufferOf(gpu, "inputs", striped(inputs, padColumns(columns)));
  const gainBuffer = await bufferOf(gpu, "gains", striped(gains, stride));
  const bias = hasBias ? await bufferOf(gpu, "bias", biases) : undefined;
  const rows = await rowsBuffer(gpu, [{ slot: 0, position: 0, tokenId: 0, runs: true }]);
  const findings: Finding[] = [];
  for (const [name, schedule] of Object.entries(testedSchedules(gpu))) {
    if (!schedule?.preparesNorms || schedule.operand === "halves") continue; // which would hide what is held to here
    const room = new Float32Array(3 * stride);
    room.set(striped(stream, stride));
    room.fill(99, 2 * stride); // sums that a wider product has left
    const hidden = await bufferOf(gpu, "hidden", room);
    const results = await bufferOf(gpu, "results", new Float32Array(ROWS_AFTER));
    const steps: MatmulStep[] = [
      { label: "first", weights: { matrix: first.matrix, bias }, input: { kind: "plain", buffer: inputBuffer }, output: { kind: "residual", buffer: hidden, stride } },
      { label: "next", weights: { matrix: next.matrix, bias: undefined }, input: { kind: "rms", buffer: hidden, gains: gainBuffer, width, epsilon: EPSILON }, output: { kind: "store", buffer: results, stride: ROWS_AFTER } },
    ];
    await runPrepared(gpu, schedule, steps, rows);
    const words = `${name}: ${width} of ${columns}${hasBias ? " with bias" : ""}, then ${ROWS_AFTER}`;
    findings.push({ name: `stream, ${words}`, error: worstError(unstriped(await readFloats(gpu, hidden, stride), stride), completed, stride) });
    findings.push({ name: `result, ${words}`, error: worstError(await readFloats(gpu, results, ROWS_AFTER), expected, ROWS_AFTER) });
  }
  return findings;
}

async function randomMatrix(gpu: Gpu, random: RandomValues, format: WeightFormat, rows: number, columns: number): Promise<{ matrix: Matrix; weights: Float64Array }> {
  const module = randomModule(random, format, rows, columns);
  const matrix = await allocateMatrix(gpu, "weights", columns, [module]);
  await uploadModules(gpu, matrix, [module]);
  return { matrix, weights: weightsOf(module) };
}

async function runPrepared(gpu: Gpu, schedule: Schedule, products: readonly MatmulStep[], rows: GPUBuffer): Promise<void> {
  const steps = prepareNorms(products.map((step): LayerStep => ({ kind: "matmul", step })), ({ weights }) => workgroupCount(schedule, weights, 1));
  for (const step of steps) {
    if (step.kind !== "matmul") throw new Error(`expected products alone, found ${step.kind}`);
    submit(gpu, await matmulDecode(gpu, schedule, step.step, 1, rows));
  }
  if (steps[1].kind !== "matmul" || steps[1].step.input.kind !== "prepared") throw new Error("expected the second product to read what the first prepared");
}
