import { prepareDispatch, type Bindings } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader, type ShaderConstants } from "../gpu/shader.ts";
import { padColumns } from "../quant/matrix.ts";
import altupCorrectShader from "../../shaders/altup_correct.wgsl?raw";
import altupPredictShader from "../../shaders/altup_predict.wgsl?raw";
import altupRescaleShader from "../../shaders/altup_rescale.wgsl?raw";
import altupTakeShader from "../../shaders/altup_take.wgsl?raw";
import laurelMergeShader from "../../shaders/laurel_merge.wgsl?raw";
import altupBegin from "../../shaders/lib/altup_begin.wgsl?raw";
import altupEnd from "../../shaders/lib/altup_end.wgsl?raw";
import block from "../../shaders/lib/block.wgsl?raw";
import modalities from "../../shaders/lib/modalities.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import workgroupSum from "../../shaders/lib/workgroup_sum.wgsl?raw";
import type { Activations } from "./activations.ts";
import type { AltupLayerWeights, NormWeights } from "./decoder_weights.ts";
import type { RowDispatch } from "./matmul.ts";

/** What happens to rows between the products of a family with several streams. */
export type AltupStep = { activations: Activations; hiddenSize: number; streams: number } & (
  | { kind: "predict" | "correct"; weights: AltupLayerWeights }
  /** The stream after the first that begins, is taken, or joins the sum at the end; 0 is the second of all. */
  | { kind: "begin" | "take" | "end"; stream: number }
  | { kind: "merge"; own: NormWeights; detour: NormWeights }
);

/** Prepare such a step: one dispatch, one workgroup a row. */
export async function altup(gpu: Gpu, step: AltupStep): Promise<RowDispatch> {
  const { M, rows } = step.activations;
  const { parts, constants, bindings } = describe(step);
  const label = `altup ${step.kind}`;
  const pipeline = await gpu.compile(label, assembleShader([block, stepPart, ...parts], { M, ...constants }));
  const dispatch = prepareDispatch(gpu.device, label, pipeline, { ...bindings, 10: rows }, [1, M, 1]);
  return { ...dispatch, rowsPerWorkgroup: 1 };
}

function describe(step: AltupStep): { parts: string[]; constants: ShaderConstants; bindings: Bindings } {
  const { hidden, streams: others, guess, branch, normed, routerLogits } = step.activations;
  const STRIDE = padColumns(step.hiddenSize);
  const shape = { STREAMS: step.streams, STRIDE };
  switch (step.kind) {
    case "predict":
      return { parts: [modalities, altupPredictShader], constants: shape, bindings: { 0: hidden, 1: others, 2: guess, 3: routerLogits, 4: step.weights.prediction } };
    case "correct": {
      const bindings = { 0: hidden, 1: others, 2: guess, 3: routerLogits, 4: step.weights.correction, 5: step.weights.outputScale, 6: normed };
      return { parts: [modalities, altupCorrectShader], constants: shape, bindings };
    }
    case "begin":
      return { parts: [workgroupSum, altupBegin, altupRescaleShader], constants: { ...shape, STREAM: step.stream, WIDTH: step.hiddenSize }, bindings: { 0: branch, 1: hidden, 2: others } };
    case "take":
      return { parts: [altupTakeShader], constants: { ...shape, STREAM: step.stream }, bindings: { 0: others, 1: normed, 2: hidden, 3: guess } };
    case "end":
      return { parts: [workgroupSum, altupEnd, altupRescaleShader], constants: { ...shape, STREAM: step.stream, WIDTH: step.hiddenSize }, bindings: { 0: branch, 1: guess, 2: hidden } };
    case "merge": {
      const constants = { STRIDE, WIDTH: step.hiddenSize, EPSILON: step.own.epsilon };
      return { parts: [workgroupSum, laurelMergeShader], constants, bindings: { 0: hidden, 1: branch, 2: step.own.gains, 3: step.detour.gains } };
    }
    default:
      return step satisfies never;
  }
}
