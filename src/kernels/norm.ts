import { prepareDispatch, type Bindings } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader, type ShaderConstants } from "../gpu/shader.ts";
import block from "../../shaders/lib/block.wgsl?raw";
import normGated from "../../shaders/lib/norm_gated.wgsl?raw";
import normInPlace from "../../shaders/lib/norm_in_place.wgsl?raw";
import normResidual from "../../shaders/lib/norm_residual.wgsl?raw";
import normStore from "../../shaders/lib/norm_store.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import workgroupSum from "../../shaders/lib/workgroup_sum.wgsl?raw";
import normShader from "../../shaders/norm.wgsl?raw";
import type { NormWeights } from "./decoder_weights.ts";
import type { RowDispatch } from "./matmul.ts";

/** Where a norm reads and writes; strides are the row lengths of the buffers. */
export type NormPlace =
  | { kind: "store"; input: GPUBuffer; inputStride: number; output: GPUBuffer; outputStride: number }
  | { kind: "residual"; input: GPUBuffer; inputStride: number; output: GPUBuffer; outputStride: number; scale: number; streams?: number; inputIsStriped?: boolean }
  | { kind: "inPlace"; buffer: GPUBuffer; stride: number; start: number }
  | { kind: "gated"; buffer: GPUBuffer; stride: number; gates: Gates; precedesGate: boolean };

/** Gates of a row, from `start` on; `scale` is their factor. */
interface Gates {
  buffer: GPUBuffer;
  stride: number;
  start: number;
  scale: number;
}

/** One norm of a plan that no product can do while it reads. */
export interface NormStep {
  label: string;
  weights: NormWeights;
  M: number;
  rows: GPUBuffer;
  place: NormPlace;
}

const PLACE_PARTS = { store: normStore, residual: normResidual, inPlace: normInPlace, gated: normGated };

/** Prepare a norm of every row. */
export async function normRows(gpu: Gpu, { label, weights, M, rows, place }: NormStep): Promise<RowDispatch> {
  const code = assembleShader([block, stepPart, workgroupSum, PLACE_PARTS[place.kind], normShader], {
    M,
    WIDTH: weights.width,
    GROUPS: weights.groups,
    IS_CENTRED: weights.isCentred,
    EPSILON: weights.epsilon,
    BIAS_START: weights.biasStart,
    ...placeConstants(place),
  });
  const name = `norm ${label}`;
  const pipeline = await gpu.compile(name, code);
  const bindings = { ...placeBuffers(place), 1: weights.gains, 10: rows };
  const dispatch = prepareDispatch(gpu.device, name, pipeline, bindings, [weights.groups, M, 1]);
  return { ...dispatch, rowsPerWorkgroup: 1 };
}

function placeBuffers(place: NormPlace): Bindings {
  if (place.kind === "inPlace") return { 0: place.buffer };
  if (place.kind === "gated") return { 0: place.buffer, 2: place.gates.buffer };
  return { 0: place.input, 2: place.output };
}

function placeConstants(place: NormPlace): ShaderConstants {
  if (place.kind === "inPlace") return { INPUT_STRIDE: place.stride, INPUT_START: place.start };
  if (place.kind === "gated") {
    const { stride, gates, precedesGate } = place;
    return { INPUT_STRIDE: stride, GATE_STRIDE: gates.stride, GATE_START: gates.start, GATE_SCALE: gates.scale, PRECEDES_GATE: precedesGate };
  }
  const strides = { INPUT_STRIDE: place.inputStride, OUTPUT_STRIDE: place.outputStride };
  return place.kind === "residual" ? { ...strides, RESIDUAL_SCALE: place.scale, STREAMS: place.streams ?? 1, INPUT_IS_STRIPED: place.inputIsStriped ?? false } : strides;
}
