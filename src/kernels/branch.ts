import { padColumns } from "../quant/matrix.ts";
import type { Activations } from "./activations.ts";
import type { AltupStep } from "./altup.ts";
import type { AttentionStep } from "./attention.ts";
import type { CutGluStep } from "./cut_glu.ts";
import type { LinearWeights, NormWeights } from "./decoder_weights.ts";
import type { ExpertStep, RouteStep } from "./experts.ts";
import type { MatmulInput, MatmulOutput, MatmulStep } from "./matmul.ts";
import type { NormStep } from "./norm.ts";
import type { RecurrentStep } from "./recurrent.ts";
import type { EmbedStep } from "./sample.ts";
import type { ScaleRowsStep } from "./scale_rows.ts";

/** One step of a layer as data: decode and prefill cut them differently. */
export type LayerStep =
  | { kind: "matmul"; step: MatmulStep }
  | { kind: "norm"; step: NormStep }
  | { kind: "recurrence"; step: RecurrentStep }
  | { kind: "scale"; step: ScaleRowsStep }
  | { kind: "embed"; step: EmbedStep }
  | { kind: "altup"; step: AltupStep }
  | { kind: "cut"; step: CutGluStep }
  | { kind: "route"; step: RouteStep }
  | { kind: "experts"; step: ExpertStep }
  | { kind: "attention"; step: AttentionStep; output: MatmulStep };

/** A branch of a block: what reads the residual stream, and what follows until the result is added to it. */
export interface Branch {
  read: LayerStep[];
  write: LayerStep[];
}

/** Where a product's result goes, and what must follow it. */
export interface Result {
  output: MatmulOutput;
  after: LayerStep[];
}

/** The product whose result joins the residual stream, and what must follow it. */
export interface Addition {
  output: MatmulStep;
  after: LayerStep[];
}

/** The residual stream as a product's input: an RMS norm is computed while reading, a layer norm before. */
export function normalised(activations: Activations, norm: NormWeights | undefined, label: string): { before: LayerStep[]; input: MatmulInput } {
  const { M, rows, hidden, normed } = activations;
  if (!norm?.isCentred) return { before: [], input: normedInput(hidden, norm) };
  const stride = padColumns(norm.width);
  const place = { kind: "store", input: hidden, inputStride: stride, output: normed, outputStride: stride } as const;
  return { before: [{ kind: "norm", step: { label, weights: norm, M, rows, place } }], input: { kind: "plain", buffer: normed } };
}

/** A product's input that is RMS-normalised while it is read, where there is a norm. */
export function normedInput(buffer: GPUBuffer, norm: NormWeights | undefined): MatmulInput {
  return norm ? { kind: "rms", buffer, gains: norm.gains, width: norm.width, epsilon: norm.epsilon } : { kind: "plain", buffer };
}

/** A product whose result is added to the residual stream, after a norm where there is one. */
export function added(
  activations: Activations, label: string, weights: LinearWeights, input: MatmulInput, norm: NormWeights | undefined, scale: number,
): Addition {
  const { output, after } = resultOf(activations, label, padColumns(weights.matrix.rows), norm, scale);
  return { output: { label, weights, input, output }, after };
}

/** Where a result goes that is added to the residual stream, after a norm where there is one. */
export function resultOf({ M, rows, hidden, branch }: Activations, label: string, stride: number, norm: NormWeights | undefined, scale: number): Result {
  if (!norm) return { output: { kind: "residual", buffer: hidden, stride, scale }, after: [] };
  const place = { kind: "residual", input: branch, inputStride: stride, output: hidden, outputStride: stride, scale } as const;
  return { output: { kind: "store", buffer: branch, stride }, after: [{ kind: "norm", step: { label: `${label} result`, weights: norm, M, rows, place } }] };
}
