import { prepareDispatch, type Bindings, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { bytesPerRow, hasPairs, packedShaderParts, weightBindings, weightConstants, weightShaderParts, type Matrix, type MatrixPart } from "../quant/matrix.ts";
import activationGelu from "../../shaders/lib/activation_gelu.wgsl?raw";
import activationGeluTanh from "../../shaders/lib/activation_gelu_tanh.wgsl?raw";
import activationIdentity from "../../shaders/lib/activation_identity.wgsl?raw";
import activationRelu2 from "../../shaders/lib/activation_relu2.wgsl?raw";
import activationSilu from "../../shaders/lib/activation_silu.wgsl?raw";
import activationXielu from "../../shaders/lib/activation_xielu.wgsl?raw";
import biasAdd from "../../shaders/lib/bias_add.wgsl?raw";
import biasNone from "../../shaders/lib/bias_none.wgsl?raw";
import candidate from "../../shaders/lib/candidate.wgsl?raw";
import cap from "../../shaders/lib/cap.wgsl?raw";
import blockPlanes from "../../shaders/lib/block_planes.wgsl?raw";
import codeHalvesQ4 from "../../shaders/lib/code_halves_q4.wgsl?raw";
import codeHalvesQ8 from "../../shaders/lib/code_halves_q8.wgsl?raw";
import codePlanes from "../../shaders/lib/code_planes.wgsl?raw";
import finishBestShared from "../../shaders/lib/finish_best_shared.wgsl?raw";
import finishBestSubgroup from "../../shaders/lib/finish_best_subgroup.wgsl?raw";
import finishNone from "../../shaders/lib/finish_none.wgsl?raw";
import glu from "../../shaders/lib/glu.wgsl?raw";
import gluClamped from "../../shaders/lib/glu_clamped.wgsl?raw";
import inputMerge from "../../shaders/lib/input_merge.wgsl?raw";
import inputPlain from "../../shaders/lib/input_plain.wgsl?raw";
import inputPrepared from "../../shaders/lib/input_prepared.wgsl?raw";
import inputRms from "../../shaders/lib/input_rms.wgsl?raw";
import liveEighths from "../../shaders/lib/live_eighths.wgsl?raw";
import operandBytes from "../../shaders/lib/operand_bytes.wgsl?raw";
import operandFloats from "../../shaders/lib/operand_floats.wgsl?raw";
import operandHalves from "../../shaders/lib/operand_halves.wgsl?raw";
import outputActivated from "../../shaders/lib/output_activated.wgsl?raw";
import outputGated from "../../shaders/lib/output_gated.wgsl?raw";
import outputGlu from "../../shaders/lib/output_glu.wgsl?raw";
import outputLogits from "../../shaders/lib/output_logits.wgsl?raw";
import outputResidual from "../../shaders/lib/output_residual.wgsl?raw";
import outputResidualPrepared from "../../shaders/lib/output_residual_prepared.wgsl?raw";
import outputStore from "../../shaders/lib/output_store.wgsl?raw";
import peak from "../../shaders/lib/peak.wgsl?raw";
import reduceShared from "../../shaders/lib/reduce_shared.wgsl?raw";
import reduceSubgroup from "../../shaders/lib/reduce_subgroup.wgsl?raw";
import samplingOptions from "../../shaders/lib/sampling_options.wgsl?raw";
import scaleRms from "../../shaders/lib/scale_rms.wgsl?raw";
import softplus from "../../shaders/lib/softplus.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import matmulRowShader from "../../shaders/matmul_row.wgsl?raw";
import matmulTileShader from "../../shaders/matmul_tile.wgsl?raw";
import matmulTileNarrowShader from "../../shaders/matmul_tile_narrow.wgsl?raw";
import matmulVecShader from "../../shaders/matmul_vec.wgsl?raw";
import type { Activation } from "./decoder_spec.ts";
import type { LinearWeights } from "./decoder_weights.ts";
import type { Operand, RowStreams, Schedule, Tile } from "./schedule.ts";

/** Where a product's inputs come from. */
export type MatmulInput =
  | { kind: "plain"; buffer: GPUBuffer }
  | { kind: "rms"; buffer: GPUBuffer; gains: GPUBuffer; width: number; epsilon: number }
  | { kind: "prepared"; buffer: GPUBuffer; width: number; epsilon: number; squares: number } // as left by a product with `nextGains`
  | { kind: "merge"; buffer: GPUBuffer; splitStats: GPUBuffer; heads: number; headDim: number; splits: number };

/** Where a product's results go; `stride` is the row length of the buffer. */
export type MatmulOutput =
  | { kind: "store"; buffer: GPUBuffer; stride: number; cap?: number }
  | { kind: "residual"; buffer: GPUBuffer; stride: number; scale?: number; nextGains?: GPUBuffer } // of the norm to prepare
  | { kind: "glu"; buffer: GPUBuffer; stride: number; activation: Activation | "xielu" | "clamped_swiglu"; gateScale?: number; slopes?: GPUBuffer }
  | { kind: "activated"; buffer: GPUBuffer; stride: number; activation: Activation | "xielu" | "identity"; slopes?: GPUBuffer }
  | { kind: "gated"; buffer: GPUBuffer; stride: number; activation: Activation; factors: GPUBuffer; factorStride: number; firstFactor: GPUBuffer }
  | { kind: "logits"; buffer: GPUBuffer; stride: number; cap?: number; stats: GPUBuffer; seen: GPUBuffer; sampling: GPUBuffer };

/** One matrix product of a plan. */
export interface MatmulStep {
  label: string;
  weights: LinearWeights;
  input: MatmulInput;
  output: MatmulOutput;
}

const INPUT_PARTS = { plain: [inputPlain], rms: [scaleRms, inputRms], prepared: [scaleRms, inputPrepared], merge: [inputMerge] };
/** The shader parts of each activation. */
export const ACTIVATION_PARTS = {
  identity: [activationIdentity],
  silu: [activationSilu],
  gelu: [activationGelu],
  gelu_tanh: [activationGeluTanh],
  relu2: [activationRelu2],
  xielu: [softplus, activationXielu],
};

/** The shader parts that take a product's results. */
export function outputParts(output: MatmulOutput): string[] {
  switch (output.kind) {
    case "store":
      return [cap, outputStore];
    case "residual":
      return output.nextGains ? [outputResidualPrepared] : [outputResidual];
    case "glu":
      return [...(output.activation === "clamped_swiglu" ? [gluClamped] : [...ACTIVATION_PARTS[output.activation], glu]), outputGlu];
    case "activated":
      return [...ACTIVATION_PARTS[output.activation], outputActivated];
    case "gated":
      return [...ACTIVATION_PARTS[output.activation], outputGated];
    case "logits":
      return [cap, candidate, samplingOptions, outputLogits];
    default:
      return output satisfies never;
  }
}

/** The constants that those parts expect. */
export function outputConstants(output: MatmulOutput): Record<string, number> {
  const stride = { OUTPUT_STRIDE: output.stride };
  if (output.kind === "store" || output.kind === "logits") return { ...stride, CAP: output.cap ?? 0 };
  if (output.kind === "gated") return { ...stride, FACTOR_STRIDE: output.factorStride };
  if (output.kind === "residual") return { ...stride, RESIDUAL_SCALE: output.scale ?? 1 };
  return output.kind === "glu" && output.activation !== "clamped_swiglu" ? { ...stride, GATE_SCALE: output.gateScale ?? 1 } : stride;
}

/** The buffers of a product's results. */
export function outputBindings(output: MatmulOutput): Bindings {
  if (output.kind === "gated") return { 2: output.buffer, 4: output.factors, 5: output.firstFactor };
  if (output.kind === "logits") return { 2: output.buffer, 4: output.stats, 5: output.seen };
  if (output.kind === "residual") return { 2: output.buffer, 4: output.nextGains };
  const slopes = output.kind === "glu" || output.kind === "activated" ? output.slopes : undefined;
  return { 2: output.buffer, 6: slopes };
}

/** The shader parts that read a product's inputs. */
export function inputParts(input: MatmulInput): string[] {
  return INPUT_PARTS[input.kind];
}

/** The constants that the parts of a product's inputs expect. */
export function inputConstants(input: MatmulInput): Record<string, number> {
  if (input.kind === "rms") return { WIDTH: input.width, EPSILON: input.epsilon };
  if (input.kind === "prepared") return { WIDTH: input.width, EPSILON: input.epsilon, SQUARES: input.squares };
  if (input.kind === "merge") return { HEADS: input.heads, HEAD_DIM: input.headDim, SPLITS: input.splits };
  return {};
}

/** The buffers of a product's inputs. */
export function inputBindings(input: MatmulInput): Bindings {
  if (input.kind === "rms") return { 0: input.buffer, 1: input.gains };
  if (input.kind === "merge") return { 0: input.buffer, 1: input.splitStats };
  return { 0: input.buffer };
}

/** The shader parts that end a workgroup of decoding, which may leave a statistic beside its results. */
function finishParts(output: MatmulOutput, kernel: DecodeKernel["name"]): string[] {
  if (output.kind === "logits") return [kernel === "matmul_row" ? finishBestSubgroup : finishBestShared];
  return output.kind === "residual" && output.nextGains ? [] : [finishNone];
}

/** In how many workgroups a product of decoding runs, each of which may leave a statistic: `[M, count]`. */
export function workgroupCount(schedule: Schedule, { matrix }: LinearWeights, M: number): number {
  return matrix.parts.reduce((sum, part) => sum + decodeKernel(schedule, matrix, part, M).workgroups, 0);
}

/** Prepare y = W x for `M` rows of x at once, as decoding does; one dispatch for each part of W. */
export async function matmulDecode(gpu: Gpu, schedule: Schedule, step: MatmulStep, M: number, rows: GPUBuffer): Promise<Dispatch[]> {
  const dispatches: Dispatch[] = [];
  let statStart = 0;
  for (const part of step.weights.matrix.parts) {
    const kernel = decodeKernel(schedule, step.weights.matrix, part, M);
    dispatches.push(await matmulDecodePart(gpu, kernel, step, part, rows, { M, STAT_START: statStart, STAT_STRIDE: workgroupCount(schedule, step.weights, M) }));
    statStart += kernel.workgroups;
  }
  return dispatches;
}

/** A kernel of decoding, cut to a part of a matrix. */
interface DecodeKernel {
  name: "matmul_vec" | "matmul_row";
  parts: readonly string[];
  constants: Record<string, number>;
  features: readonly string[];
  workgroups: number;
}

function decodeKernel(schedule: Schedule, matrix: Matrix, part: MatrixPart, M: number): DecodeKernel {
  const streams = M === 1 ? schedule.rowStreams(part.rows, matrix.paddedColumns) : undefined;
  return streams && schedule.subgroups ? rowKernel(schedule.operand, schedule.subgroups.min, streams, part) : vecKernel(schedule, matrix, part, M);
}

function rowKernel(operand: Operand, SUBGROUP: number, { lanes, streams, rows }: RowStreams, part: MatrixPart): DecodeKernel {
  const workgroups = Math.ceil(part.rows / (streams * rows));
  return {
    name: "matmul_row",
    parts: [...operandParts(operand, part), matmulRowShader],
    constants: { ROWS: rows, THREADS: lanes, STREAMS: streams, WORKGROUP: streams * lanes, WORKGROUPS: workgroups, SUBGROUP },
    features: operand === "halves" ? ["f16", "subgroups"] : ["subgroups"],
    workgroups,
  };
}

function operandParts(operand: Operand, { format }: MatrixPart): string[] {
  if (!hasPairs(format) || operand === "floats") return [operandFloats];
  if (operand === "halves") return [peak, format.codes === "q4" ? codeHalvesQ4 : codeHalvesQ8, operandHalves];
  return [...packedShaderParts(format), peak, codePlanes, blockPlanes, operandBytes];
}

function vecKernel({ workgroup, rowsPerThread, threadsPerRow, subgroups }: Schedule, { paddedColumns }: Matrix, part: MatrixPart, M: number): DecodeKernel {
  const lanes = threadsPerRow(part.rows, paddedColumns);
  const streams = workgroup / lanes;
  return {
    name: "matmul_vec",
    parts: [subgroups ? reduceSubgroup : reduceShared, matmulVecShader],
    constants: {
      ROWS: rowsPerThread, THREADS: lanes, STREAMS: streams, WORKGROUP: workgroup, VALUES: (rowsPerThread + 1) * M,
      ...(subgroups ? { SUBGROUP_MIN: subgroups.min } : {}),
    },
    features: subgroups ? ["subgroups"] : [],
    workgroups: Math.ceil(part.rows / (streams * rowsPerThread)),
  };
}

async function matmulDecodePart(
  gpu: Gpu, kernel: DecodeKernel, { label: name, weights, input, output }: MatmulStep, part: MatrixPart, rows: GPUBuffer, rowConstants: Record<string, number>,
): Promise<Dispatch> {
  const { matrix, bias } = weights;
  const code = assembleShader(
    [
      ...weightShaderParts(part.format),
      stepPart,
      ...inputParts(input),
      bias ? biasAdd : biasNone,
      ...outputParts(output),
      ...finishParts(output, kernel.name),
      ...kernel.parts,
    ],
    { ...weightConstants(matrix, part), ...inputConstants(input), ...rowConstants, ...kernel.constants, ...outputConstants(output), OUTPUT_ROWS: matrix.rows },
    kernel.features,
  );
  const label = `${kernel.name} ${name}`;
  const sampling = output.kind === "logits" ? output.sampling : undefined;
  const bindings = { ...inputBindings(input), ...outputBindings(output), 3: bias, ...weightBindings(part), 10: rows, 11: sampling };
  const pipeline = await gpu.compile(label, code);
  const dispatch = prepareDispatch(gpu.device, label, pipeline, bindings, [kernel.workgroups, 1, 1]);
  return { ...dispatch, streamedBytes: part.rows * bytesPerRow(part.format, matrix.paddedColumns) };
}

/** A dispatch over many rows, whose workgroups along y depend on how many rows there are. */
export interface RowDispatch extends Dispatch {
  rowsPerWorkgroup: number;
}

const TILES = { wide: { side: 64, shaders: [liveEighths, matmulTileShader] }, narrow: { side: 32, shaders: [matmulTileNarrowShader] } };

/** Prepare Y = X W^T for `M` rows of X, a multiple of 64, of which the first may be active; one dispatch for each part of W. */
export async function matmulTile(gpu: Gpu, tile: Tile, step: MatmulStep, M: number, rows: GPUBuffer): Promise<RowDispatch[]> {
  const { weights, input, output } = step;
  const { side, shaders } = TILES[tile];
  if (output.kind === "logits") throw new Error("matmul_tile keeps no logit statistics");
  const dispatches: RowDispatch[] = [];
  for (const part of weights.matrix.parts) {
    const code = assembleShader(
      [...weightShaderParts(part.format), stepPart, ...inputParts(input), weights.bias ? biasAdd : biasNone, ...outputParts(output), ...shaders],
      {
        ...weightConstants(weights.matrix, part),
        ...inputConstants(input),
        M,
        ...outputConstants(output),
        OUTPUT_ROWS: weights.matrix.rows,
      },
    );
    const label = `matmul_tile ${step.label}`;
    const bindings = { ...inputBindings(input), ...outputBindings(output), 3: weights.bias, ...weightBindings(part), 10: rows };
    const pipeline = await gpu.compile(label, code);
    const dispatch = prepareDispatch(gpu.device, label, pipeline, bindings, [Math.ceil(part.rows / side), 1, 1]);
    dispatches.push({ ...dispatch, rowsPerWorkgroup: side });
  }
  return dispatches;
}
