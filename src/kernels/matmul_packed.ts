import { prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { hasPairs, packedShaderParts, weightBindings, weightConstants, type AffineFormat, type Matrix, type MatrixPart } from "../quant/matrix.ts";
import biasAdd from "../../shaders/lib/bias_add.wgsl?raw";
import biasNone from "../../shaders/lib/bias_none.wgsl?raw";
import block from "../../shaders/lib/block.wgsl?raw";
import liveEighths from "../../shaders/lib/live_eighths.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import workgroupSum from "../../shaders/lib/workgroup_sum.wgsl?raw";
import matmulPackedShader from "../../shaders/matmul_packed.wgsl?raw";
import packInputsShader from "../../shaders/pack_inputs.wgsl?raw";
import { inputBindings, inputConstants, inputParts, outputBindings, outputConstants, outputParts, type MatmulStep, type RowDispatch } from "./matmul.ts";

/** Where the inputs of one product lie as codes, between the dispatch that packs them and the one that reads them. */
export interface PackedInputs {
  /** Columns of the widest row that fits; 0 where no inputs are packed. */
  columns: number;
  /** Of a code. */
  bytes: 0 | 1 | 2;
  codes: GPUBuffer; // 8-bit [K / 32, bytes, 2, M, 16]
  scales: GPUBuffer; // f32 [K / 32, M, 2]: scale, and scale times the codes' sum
}

/** Allocate packed inputs of up to `columns` columns. */
export async function createPackedInputs(gpu: Gpu, M: number, columns: number, bytes: 0 | 1 | 2): Promise<PackedInputs> {
  return {
    columns,
    bytes,
    codes: await gpu.allocate(`packed inputs of ${M} rows`, M * columns * bytes, GPUBufferUsage.STORAGE),
    scales: await gpu.allocate(`packed input scales of ${M} rows`, (M * columns * 8) / 32, GPUBufferUsage.STORAGE),
  };
}

interface PackablePart extends MatrixPart {
  format: AffineFormat;
}

/** A matrix whose codes all fit a byte, or undefined. */
function packableParts({ parts }: Matrix): PackablePart[] | undefined {
  const packable = parts.filter((part): part is PackablePart => hasPairs(part.format));
  return packable.length === parts.length ? packable : undefined;
}

/** Whether `matmulPacked` can take a matrix, with its inputs packed there. */
export function isPackable(matrix: Matrix, inputs: PackedInputs): boolean {
  return matrix.paddedColumns <= inputs.columns && packableParts(matrix) !== undefined;
}

const PACK_THREADS = 64;
const TILE = 64;

/** Prepare Y = X W^T as `matmulTile` does, with the rows of X rounded to 8 or 16 bits: one dispatch to pack them, and one for each part of W. */
export async function matmulPacked(gpu: Gpu, step: MatmulStep, inputs: PackedInputs, M: number, rows: GPUBuffer): Promise<RowDispatch[]> {
  const { matrix, bias } = step.weights;
  const parts = packableParts(matrix);
  if (!parts) throw new Error(`matmul_packed ${step.label}: expected 4-bit or 8-bit weights`);
  const dispatches = [await packInputs(gpu, step, inputs, M, rows)];
  for (const part of parts) {
    const code = assembleShader(
      [block, stepPart, ...packedShaderParts(part.format), bias ? biasAdd : biasNone, ...outputParts(step.output), liveEighths, matmulPackedShader],
      { ...weightConstants(matrix, part), M, BYTES: inputs.bytes, ...outputConstants(step.output), OUTPUT_ROWS: matrix.rows },
    );
    const label = `matmul_packed ${step.label}`;
    const pipeline = await gpu.compile(label, code);
    const group0 = { 0: inputs.codes, 1: inputs.scales, ...outputBindings(step.output), 3: bias };
    const dispatch = prepareDispatch(gpu.device, label, pipeline, [group0, weightBindings(part), { 0: rows }], [Math.ceil(part.rows / TILE), 1, 1]);
    dispatches.push({ ...dispatch, rowsPerWorkgroup: TILE });
  }
  return dispatches;
}

async function packInputs(gpu: Gpu, { label: name, weights, input }: MatmulStep, inputs: PackedInputs, M: number, rows: GPUBuffer): Promise<RowDispatch> {
  const constants = { K: weights.matrix.paddedColumns, M, THREADS: PACK_THREADS, BYTES: inputs.bytes, ...inputConstants(input) };
  const code = assembleShader([block, stepPart, ...inputParts(input), workgroupSum, packInputsShader], constants);
  const label = `pack_inputs ${name}`;
  const pipeline = await gpu.compile(label, code);
  const group0 = { ...inputBindings(input), 2: inputs.codes, 3: inputs.scales };
  return { ...prepareDispatch(gpu.device, label, pipeline, [group0, {}, { 0: rows }], [1, M, 1]), rowsPerWorkgroup: 1 };
}
