import { prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { padColumns } from "../quant/matrix.ts";
import cutGluShader from "../../shaders/cut_glu.wgsl?raw";
import block from "../../shaders/lib/block.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import workgroupSum from "../../shaders/lib/workgroup_sum.wgsl?raw";
import type { MlpSpec } from "./decoder_spec.ts";
import { ACTIVATION_PARTS, type RowDispatch } from "./matmul.ts";

/** Gated units of which only the largest gates count. */
export interface CutGluStep {
  mlp: MlpSpec;
  M: number;
  rows: GPUBuffer;
  pairs: GPUBuffer; // f32 [M, intermediateSize, 2]: gates and ups
  output: GPUBuffer; // f32 [M, intermediateSize, padded], striped
}

/** Prepare those units of every row. */
export async function cutGlu(gpu: Gpu, { mlp, M, rows, pairs, output }: CutGluStep): Promise<RowDispatch> {
  const { activation, intermediateSize, cutoff = 0 } = mlp;
  const activationParts = ACTIVATION_PARTS[typeof activation === "string" ? activation : activation.kind];
  const constants = { M, WIDTH: intermediateSize, OUTPUT_STRIDE: padColumns(intermediateSize), CUTOFF: cutoff };
  const pipeline = await gpu.compile("cut_glu", assembleShader([block, stepPart, workgroupSum, ...activationParts, cutGluShader], constants));
  const dispatch = prepareDispatch(gpu.device, "cut_glu", pipeline, { 0: pairs, 1: output, 10: rows }, [1, M, 1]);
  return { ...dispatch, rowsPerWorkgroup: 1 };
}
