import { prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { padColumns } from "../quant/matrix.ts";
import block from "../../shaders/lib/block.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import shortConvShader from "../../shaders/short_conv.wgsl?raw";
import type { RecurrentSpec } from "./decoder_spec.ts";
import type { RecurrentWeights } from "./decoder_weights.ts";
import type { RowDispatch } from "./matmul.ts";

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

/** Floats that a recurrent layer remembers of one sequence. */
export function stateFloats({ channels, taps }: RecurrentSpec): number {
  return channels * (taps - 1);
}

/** Prepare a recurrent layer's walk over the rows of a step. */
export async function recurrence(gpu: Gpu, { recurrent, weights, M, rows, projected, output, state }: RecurrentStep): Promise<RowDispatch[]> {
  const { channels, taps, input } = recurrent;
  const code = assembleShader([block, stepPart, shortConvShader], {
    M,
    CHANNELS: channels,
    TAPS: taps,
    INPUT_STRIDE: input.rows,
    OUTPUT_STRIDE: padColumns(recurrent.output.columns),
  });
  const pipeline = await gpu.compile("short_conv", code);
  const groups = [{ 0: projected, 1: weights.kernel, 2: output, 3: state }, {}, { 0: rows }];
  const dispatch = prepareDispatch(gpu.device, "short_conv", pipeline, groups, [Math.ceil(channels / 64), 1, 1]);
  return [{ ...dispatch, rowsPerWorkgroup: M }];
}
