import { prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader, type ShaderConstants } from "../gpu/shader.ts";
import { hasPairs, packedShaderParts, weightBindings, weightConstants, weightShaderParts, type Matrix, type MatrixPart } from "../quant/matrix.ts";
import biasAdd from "../../shaders/lib/bias_add.wgsl?raw";
import biasNone from "../../shaders/lib/bias_none.wgsl?raw";
import block from "../../shaders/lib/block.wgsl?raw";
import blockHalves from "../../shaders/lib/block_halves.wgsl?raw";
import blockPlanes from "../../shaders/lib/block_planes.wgsl?raw";
import codePlanes from "../../shaders/lib/code_planes.wgsl?raw";
import liveEighths from "../../shaders/lib/live_eighths.wgsl?raw";
import peak from "../../shaders/lib/peak.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import unitTiles from "../../shaders/lib/unit_tiles.wgsl?raw";
import workgroupSum from "../../shaders/lib/workgroup_sum.wgsl?raw";
import matmulHalvesShader from "../../shaders/matmul_halves.wgsl?raw";
import matmulPackedShader from "../../shaders/matmul_packed.wgsl?raw";
import matmulPlanesShader from "../../shaders/matmul_planes.wgsl?raw";
import packInputsShader from "../../shaders/pack_inputs.wgsl?raw";
import packRowsShader from "../../shaders/pack_rows.wgsl?raw";
import { inputBindings, inputConstants, inputParts, outputBindings, outputConstants, outputParts, type MatmulStep, type RowDispatch } from "./matmul.ts";
import type { InputForm } from "./schedule.ts";

/** Where the inputs of one product lie rounded, between the dispatch that packs them and the one that reads them. */
export interface PackedInputs {
  /** Columns of the widest row that fits; 0 where no inputs are packed. */
  columns: number;
  form: InputForm;
  codes: GPUBuffer; // 8-bit [K / 32, bytes, 2, M, 16]; or f16 [M, K], or 8-bit [M, K / 32, 2 planes, 32]
  scales: GPUBuffer; // f32 [K / 32, M, 2]: scale, and scale times the codes' sum; or f32 [M]
}

const FORM_BYTES = { f32: 0, f16: 2, planes: 2, int16: 2, int8: 1 };
const MOST_PLANE_COLUMNS = 65_536; // of which i32 holds the sums of products of bytes

/** Allocate packed inputs of up to `columns` columns. */
export async function createPackedInputs(gpu: Gpu, M: number, columns: number, form: InputForm): Promise<PackedInputs> {
  const scaleBytes = form === "f16" || form === "planes" ? 4 : (columns * 8) / 32;
  return {
    columns,
    form,
    codes: await gpu.allocate(`packed inputs of ${M} rows`, M * columns * FORM_BYTES[form], GPUBufferUsage.STORAGE),
    scales: await gpu.allocate(`packed input scales of ${M} rows`, M * scaleBytes, GPUBufferUsage.STORAGE),
  };
}

/** Whether `matmulPacked` can take a matrix, with its inputs packed there: as bytes only those whose codes all fit a byte. */
export function isPackable({ paddedColumns, parts }: Matrix, { columns, form }: PackedInputs): boolean {
  if (paddedColumns > columns || (form === "planes" && paddedColumns > MOST_PLANE_COLUMNS)) return false;
  return form === "f16" || parts.every(({ format }) => hasPairs(format));
}

const PACK_THREADS = 64;
const TILE = 64;

/** Prepare Y = X W^T as `matmulTile` does, with the rows of X rounded: one dispatch to pack them, and one for each part of W. */
export async function matmulPacked(gpu: Gpu, step: MatmulStep, inputs: PackedInputs, M: number, rows: GPUBuffer): Promise<RowDispatch[]> {
  const { label: name, weights: { matrix, bias }, output } = step;
  const dispatches = [await packInputs(gpu, step, inputs, M, rows)];
  const label = `matmul_packed ${name}`;
  const outputs = [bias ? biasAdd : biasNone, ...outputParts(output)];
  for (const part of matrix.parts) {
    const constants = { ...weightConstants(matrix, part), M, ...outputConstants(output), OUTPUT_ROWS: matrix.rows, BYTES: FORM_BYTES[inputs.form] };
    const shared = [...weightShaderParts(part.format), stepPart, ...outputs];
    const pipeline = await gpu.compile(label, productCode(inputs.form, part, shared, constants));
    const bindings = { 0: inputs.codes, 1: inputs.scales, ...outputBindings(output), 3: bias, ...weightBindings(part), 10: rows };
    const dispatch = prepareDispatch(gpu.device, label, pipeline, bindings, [Math.ceil(part.rows / TILE), 1, 1]);
    dispatches.push({ ...dispatch, rowsPerWorkgroup: TILE });
  }
  return dispatches;
}

const UNIT_FEATURES = ["subgroups", "chromium_experimental_subgroup_matrix"];

function productCode(form: InputForm, { format }: MatrixPart, shared: readonly string[], constants: ShaderConstants): string {
  if (form === "f16") return assembleShader([...shared, blockHalves, unitTiles, matmulHalvesShader], constants, ["f16", ...UNIT_FEATURES]);
  if (!hasPairs(format)) throw new Error("expected 4-bit or 8-bit weights"); // as `isPackable` tells
  if (form === "planes") return assembleShader([...shared, codePlanes, blockPlanes, unitTiles, matmulPlanesShader], constants, UNIT_FEATURES);
  return assembleShader([...shared, ...packedShaderParts(format), liveEighths, matmulPackedShader], constants);
}

async function packInputs(gpu: Gpu, { label: name, weights, input }: MatmulStep, inputs: PackedInputs, M: number, rows: GPUBuffer): Promise<RowDispatch> {
  const constants = { K: weights.matrix.paddedColumns, M, THREADS: PACK_THREADS, BYTES: FORM_BYTES[inputs.form], ...inputConstants(input) };
  const code = assembleShader([block, peak, stepPart, ...inputParts(input), workgroupSum, ...packParts(inputs.form)], constants);
  const label = `pack_inputs ${name}`;
  const pipeline = await gpu.compile(label, code);
  const bindings = { ...inputBindings(input), 2: inputs.codes, 3: inputs.scales, 10: rows };
  return { ...prepareDispatch(gpu.device, label, pipeline, bindings, [1, M, 1]), rowsPerWorkgroup: 1 };
}

function packParts(form: InputForm): string[] {
  if (form === "f16") return [blockHalves, packRowsShader];
  return [codePlanes, blockPlanes, form === "planes" ? packRowsShader : packInputsShader];
}
