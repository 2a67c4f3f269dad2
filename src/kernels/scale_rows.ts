import { prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import rowFactorScalar from "../../shaders/lib/row_factor_scalar.wgsl?raw";
import rowFactorSigmoid from "../../shaders/lib/row_factor_sigmoid.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import scaleRowsShader from "../../shaders/scale_rows.wgsl?raw";
import type { RowDispatch } from "./matmul.ts";

/** Where a row's factor comes from: a stored scalar, or the sigmoid of one of the row's logits. */
export type RowFactor =
  | { kind: "scalar"; buffer: GPUBuffer } // f32 [1]
  | { kind: "sigmoid"; buffer: GPUBuffer; stride: number; logit: number }; // f32 [M, stride]

/** A factor for every row of a buffer. */
export interface ScaleRowsStep {
  M: number;
  rows: GPUBuffer;
  values: GPUBuffer; // f32 [M, stride]
  stride: number;
  factor: RowFactor;
}

/** Prepare the multiplication of every row by its factor. */
export async function scaleRows(gpu: Gpu, { M, rows, values, stride, factor }: ScaleRowsStep): Promise<RowDispatch> {
  const part = factor.kind === "scalar" ? rowFactorScalar : rowFactorSigmoid;
  const constants = { M, STRIDE: stride, ...(factor.kind === "sigmoid" ? { LOGIT_STRIDE: factor.stride, LOGIT: factor.logit } : {}) };
  const pipeline = await gpu.compile("scale_rows", assembleShader([stepPart, part, scaleRowsShader], constants));
  const dispatch = prepareDispatch(gpu.device, "scale_rows", pipeline, { 0: values, 1: factor.buffer, 10: rows }, [1, M, 1]);
  return { ...dispatch, rowsPerWorkgroup: 1 };
}
