import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { bytesPerRow, weightBindings, weightConstants, weightShaderParts, type MatrixPart } from "../quant/matrix.ts";
import expertVecShader from "../../shaders/expert_vec.wgsl?raw";
import biasNone from "../../shaders/lib/bias_none.wgsl?raw";
import expertBiasAdd from "../../shaders/lib/expert_bias_add.wgsl?raw";
import expertBiasNone from "../../shaders/lib/expert_bias_none.wgsl?raw";
import reduceShared from "../../shaders/lib/reduce_shared.wgsl?raw";
import reduceSubgroup from "../../shaders/lib/reduce_subgroup.wgsl?raw";
import routeSigmoid from "../../shaders/lib/route_sigmoid.wgsl?raw";
import routeSoftmax from "../../shaders/lib/route_softmax.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import routeShader from "../../shaders/route.wgsl?raw";
import type { MoeSpec } from "./decoder_spec.ts";
import { inputBindings, inputConstants, inputParts, outputBindings, outputConstants, outputParts, type MatmulOutput, type MatmulStep, type RowDispatch } from "./matmul.ts";
import type { Schedule } from "./schedule.ts";

/** The choice of experts for every row. */
export interface RouteStep {
  moe: MoeSpec;
  M: number;
  rows: GPUBuffer;
  logits: GPUBuffer; // f32 [M, rows of the router]
  choices: GPUBuffer; // [M, chosen] of (expert, weight)
  perExpert: GPUBuffer; // f32 [experts]
}

/** Prepare the choice of experts. */
export async function route(gpu: Gpu, { moe, M, rows, logits, choices, perExpert }: RouteStep): Promise<RowDispatch> {
  const { routing } = moe;
  const code = assembleShader([stepPart, routing.kind === "sigmoid" ? routeSigmoid : routeSoftmax, routeShader], {
    M,
    EXPERTS: moe.experts,
    CHOSEN: moe.chosen,
    INPUT_STRIDE: moe.router.rows,
    IS_NORMALISED: routing.isNormalised,
    NORM_FLOOR: routing.kind === "sigmoid" ? 1e-6 : 0,
    ROUTE_SCALE: routing.scale,
  });
  const pipeline = await gpu.compile("route", code);
  const bindings = { 0: logits, 1: choices, 2: perExpert, 10: rows };
  const dispatch = prepareDispatch(gpu.device, "route", pipeline, bindings, [1, M, 1]);
  return { ...dispatch, rowsPerWorkgroup: 1 };
}

/** A product with the matrices of chosen experts, which lie one under another. */
export interface ExpertStep {
  step: MatmulStep;
  moe: MoeSpec;
  choices: GPUBuffer;
  M: number;
  rows: GPUBuffer;
  /** Whether each choice gives results of its own, or all choices of a row are added up; then the output stores or adds in stripes. */
  results: "each" | "sum";
}

/** Prepare an expert product, the same for decoding and prefill; one dispatch for each part of the matrix. */
export async function expertVec(gpu: Gpu, schedule: Schedule, expert: ExpertStep): Promise<RowDispatch[]> {
  const dispatches: RowDispatch[] = [];
  const { step, results } = expert;
  const { buffer, stride } = step.output;
  for (const [index, part] of step.weights.matrix.parts.entries()) {
    // A sum is stored by the first part, and the others add what their experts give.
    const output: MatmulOutput = results === "sum" && index > 0 && step.output.kind !== "residual" ? { kind: "residual", buffer, stride } : step.output;
    dispatches.push(await expertVecPart(gpu, schedule, { ...expert, step: { ...step, output } }, part));
  }
  return dispatches;
}

async function expertVecPart(gpu: Gpu, schedule: Schedule, { step, moe, choices, M, rows, results }: ExpertStep, part: MatrixPart): Promise<RowDispatch> {
  const { weights, input, output } = step;
  const { matrix } = weights;
  const { workgroup, rowsPerThread, subgroups } = schedule;
  const expertRows = matrix.rows / moe.experts;
  const threads = schedule.threadsPerRow(expertRows, matrix.paddedColumns);
  const streams = workgroup / threads;
  const isSum = results === "sum";
  const code = assembleShader(
    [...weightShaderParts(part.format), stepPart, subgroups ? reduceSubgroup : reduceShared, ...inputParts(input), weights.bias ? expertBiasAdd : expertBiasNone, biasNone, ...outputParts(output), expertVecShader],
    {
      ...weightConstants(matrix, part),
      ...inputConstants(input),
      ...outputConstants(output),
      OUTPUT_ROWS: expertRows,
      M,
      EXPERT_ROWS: expertRows,
      CHOSEN: moe.chosen,
      TAKEN: isSum ? moe.chosen : 1,
      INPUT_SHARE: isSum ? 1 : moe.chosen,
      IS_WEIGHTED: isSum,
      STORES_ALL: isSum && output.kind !== "residual",
      ROWS: rowsPerThread,
      THREADS: threads,
      STREAMS: streams,
      WORKGROUP: workgroup,
      VALUES: rowsPerThread + 1,
      ...(subgroups ? { SUBGROUP_MIN: subgroups.min } : {}),
    },
    subgroups ? ["subgroups"] : [],
  );
  const label = `expert_vec ${step.label}`;
  const pipeline = await gpu.compile(label, code);
  const bindings = { ...inputBindings(input), ...outputBindings(output), 3: weights.bias, 6: choices, ...weightBindings(part), 10: rows };
  const perRow = isSum ? 1 : moe.chosen;
  const dispatch: Dispatch = prepareDispatch(gpu.device, label, pipeline, bindings, [Math.ceil(expertRows / (streams * rowsPerThread)), M * perRow, 1]);
  const streamedBytes = M * moe.chosen * (part.rows / moe.experts) * bytesPerRow(part.format, matrix.paddedColumns);
  return { ...dispatch, streamedBytes, rowsPerWorkgroup: 1 / perRow };
}
