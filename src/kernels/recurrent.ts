import { prepareDispatch, type Bindings } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader, type ShaderConstants } from "../gpu/shader.ts";
import { padColumns } from "../quant/matrix.ts";
import causalConvShader from "../../shaders/causal_conv.wgsl?raw";
import deltaNetShader from "../../shaders/delta_net.wgsl?raw";
import block from "../../shaders/lib/block.wgsl?raw";
import convolutionPart from "../../shaders/lib/convolution.wgsl?raw";
import softplus from "../../shaders/lib/softplus.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import workgroupSum from "../../shaders/lib/workgroup_sum.wgsl?raw";
import mambaShader from "../../shaders/mamba.wgsl?raw";
import shortConvShader from "../../shaders/short_conv.wgsl?raw";
import type { DeltaNetSpec, MambaSpec, RecurrentSpec } from "./decoder_spec.ts";
import type { RecurrentWeights } from "./decoder_weights.ts";
import type { RowDispatch } from "./matmul.ts";
import { normRows } from "./norm.ts";

/** What a recurrent layer works on, between its two projections. */
export interface RecurrentStep {
  recurrent: RecurrentSpec;
  weights: RecurrentWeights;
  M: number;
  rows: GPUBuffer;
  projected: GPUBuffer; // f32 [M, rows of the input projection]
  output: GPUBuffer; // f32 [M, columns of the output projection, padded], striped
  state: GPUBuffer; // f32 [slots, stateFloats]
}

/** Floats that a recurrent layer remembers of one sequence: the inputs of its convolution, then its matrices. */
export function stateFloats(recurrent: RecurrentSpec): number {
  const convolved = recurrent.channels * (recurrent.taps - 1);
  if (recurrent.kind === "shortConv") return convolved;
  if (recurrent.kind === "mamba") return convolved + recurrent.heads * recurrent.headDim * recurrent.stateDim;
  return convolved + recurrent.valueHeads * recurrent.keyDim * recurrent.valueDim;
}

/** Prepare a recurrent layer's walk over the rows of a step. */
export async function recurrence(gpu: Gpu, step: RecurrentStep): Promise<RowDispatch[]> {
  const { recurrent, weights, projected, output, state } = step;
  const { channels, taps, input } = recurrent;
  const shared = {
    M: step.M,
    CHANNELS: channels,
    TAPS: taps,
    INPUT_STRIDE: input.rows,
    OUTPUT_STRIDE: padColumns(recurrent.output.columns),
    STATE: stateFloats(recurrent),
  };
  const channelGroups = Math.ceil(channels / 64);
  if (recurrent.kind === "shortConv") {
    const buffers = { 0: projected, 1: weights.kernel, 2: output, 3: state };
    return [await walk(gpu, step, "short_conv", [block, stepPart, convolutionPart, shortConvShader], shared, buffers, channelGroups)];
  }
  const convolution = await walk(gpu, step, "causal_conv", [stepPart, convolutionPart, causalConvShader], shared, { 0: projected, 1: weights.kernel, 3: state }, channelGroups);
  const buffers = { 0: projected, 1: weights.parameters, 2: output, 3: state };
  if (recurrent.kind === "mamba") {
    const constants = { ...shared, ...mambaConstants(recurrent) };
    return [convolution, await walk(gpu, step, "mamba", [block, stepPart, softplus, mambaShader], constants, buffers, recurrent.heads), ...(await gatedNorm(gpu, step, recurrent))];
  }
  const constants = { ...shared, ...deltaConstants(recurrent) };
  return [convolution, await walk(gpu, step, "delta_net", [block, stepPart, softplus, workgroupSum, deltaNetShader], constants, buffers, recurrent.valueHeads)];
}

function deltaConstants({ keyHeads, valueHeads, keyDim, valueDim, channels, taps, norm }: DeltaNetSpec): ShaderConstants {
  return { KEY_HEADS: keyHeads, VALUE_HEADS: valueHeads, KEY_DIM: keyDim, VALUE_DIM: valueDim, STATE_START: channels * (taps - 1), EPSILON: norm.epsilon };
}

function mambaConstants(mamba: MambaSpec): ShaderConstants {
  const { heads, headDim, groups, stateDim, channels, taps, factors } = mamba;
  const scales = { GATE_SCALE: factors?.gate ?? 1, PACE_SCALE: factors?.pace ?? 1 };
  return { HEADS: heads, HEAD_DIM: headDim, GROUPS: groups, STATE_DIM: stateDim, STATE_START: channels * (taps - 1), GATES: !normalises(mamba), ...scales };
}

/** Whether a recurrence normalises its result itself: a norm of parts, or before the gate, is more than the output projection does while it reads. */
export function normalises(recurrent: RecurrentSpec): boolean {
  return recurrent.kind === "mamba" && recurrent.norm !== undefined && (recurrent.normPrecedesGate || (recurrent.norm.groups ?? 1) > 1);
}

/** The gate and the norm of a Mamba mixer's result. */
async function gatedNorm(gpu: Gpu, { weights, M, rows, projected, output }: RecurrentStep, mamba: MambaSpec): Promise<RowDispatch[]> {
  if (!weights.outputNorm || !normalises(mamba)) return [];
  const gates = { buffer: projected, stride: mamba.input.rows, start: mamba.channels, scale: mamba.factors?.gate ?? 1 };
  const place = { kind: "gated", buffer: output, stride: padColumns(mamba.output.columns), gates, precedesGate: mamba.normPrecedesGate } as const;
  return [await normRows(gpu, { label: "mixer result", weights: weights.outputNorm, M, rows, place })];
}

/** One dispatch that walks all rows by itself. */
async function walk(
  gpu: Gpu, { M, rows }: RecurrentStep, label: string, parts: readonly string[], constants: ShaderConstants, buffers: Bindings, workgroups: number,
): Promise<RowDispatch> {
  const pipeline = await gpu.compile(label, assembleShader(parts, constants));
  const dispatch = prepareDispatch(gpu.device, label, pipeline, { ...buffers, 10: rows }, [workgroups, 1, 1]);
  return { ...dispatch, rowsPerWorkgroup: M };
}
