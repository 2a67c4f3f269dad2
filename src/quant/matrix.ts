import { HearthError } from "../errors.ts";
import type { Bindings } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import block from "../../shaders/lib/block.wgsl?raw";
import codebookE2m1 from "../../shaders/lib/codebook_e2m1.wgsl?raw";
import codebookFp4 from "../../shaders/lib/codebook_fp4.wgsl?raw";
import codebookNf4 from "../../shaders/lib/codebook_nf4.wgsl?raw";
import codesQ4 from "../../shaders/lib/codes_q4.wgsl?raw";
import codesQ8 from "../../shaders/lib/codes_q8.wgsl?raw";
import dotLoaded from "../../shaders/lib/dot_loaded.wgsl?raw";
import halvesBf16 from "../../shaders/lib/halves_bf16.wgsl?raw";
import halvesF16 from "../../shaders/lib/halves_f16.wgsl?raw";
import packed from "../../shaders/lib/packed.wgsl?raw";
import packedQ4 from "../../shaders/lib/packed_q4.wgsl?raw";
import packedQ8 from "../../shaders/lib/packed_q8.wgsl?raw";
import scalesBf16 from "../../shaders/lib/scales_bf16.wgsl?raw";
import scalesF16 from "../../shaders/lib/scales_f16.wgsl?raw";
import scalesF32 from "../../shaders/lib/scales_f32.wgsl?raw";
import scalesSingle from "../../shaders/lib/scales_single.wgsl?raw";
import weightAffine from "../../shaders/lib/weight_affine.wgsl?raw";
import weightCodebook from "../../shaders/lib/weight_codebook.wgsl?raw";
import weightE4m3 from "../../shaders/lib/weight_e4m3.wgsl?raw";
import weightF32 from "../../shaders/lib/weight_f32.wgsl?raw";
import weightHalves from "../../shaders/lib/weight_halves.wgsl?raw";

/** How the runtime holds weights on the GPU; every checkpoint format is repacked into one of these. */
export type WeightFormat =
  | AffineFormat
  | { codes: "nf4" | "fp4" | "e2m1" | "e4m3"; scales: "f32"; group: number } // 16, or a multiple of 32 that divides the row
  | { codes: "f32" | "f16" | "bf16" };

/** Unsigned integer codes, with a scale and a bias for each group. */
export interface AffineFormat {
  codes: "q4" | "q8";
  scales: "f16" | "bf16" | "f32";
  /** Columns per scale: a multiple of 32 that divides the row. */
  group: number;
}

/** Rows of a matrix that lie in one buffer, in one format. */
export interface MatrixPart {
  /** First row, in the whole matrix. */
  rowStart: number;
  rows: number;
  format: WeightFormat;
  codes: GPUBuffer;
  /** Scale and bias of each group, or only a scale where the format needs no bias; quantised formats only. */
  pairs: GPUBuffer | undefined;
}

/** A weight matrix `[rows, columns]` on the GPU, in as many parts as binding limits and mixed formats need. */
export interface Matrix {
  label: string;
  rows: number;
  columns: number;
  /** Columns rounded up to whole blocks of 32; the padding is zero. */
  paddedColumns: number;
  parts: readonly MatrixPart[];
}

/** Neighbouring rows that share a format. */
export interface RowRun {
  rows: number;
  format: WeightFormat;
}

/** Round up to a whole number of 32-column blocks. */
export function padColumns(columns: number): number {
  return Math.ceil(columns / 32) * 32;
}

/** Bytes of one row of codes. */
export function codeBytesPerRow(format: WeightFormat, paddedColumns: number): number {
  const bits = { q4: 4, nf4: 4, fp4: 4, e2m1: 4, q8: 8, e4m3: 8, f16: 16, bf16: 16, f32: 32 }[format.codes];
  return (paddedColumns * bits) / 8;
}

/** Whether every scale of a format has a bias beside it. */
export function hasPairs(format: WeightFormat): format is AffineFormat {
  return format.codes === "q4" || format.codes === "q8";
}

/** Words that a scale and its bias take together. */
export function pairWords({ scales }: AffineFormat): number {
  return scales === "f32" ? 2 : 1;
}

/** Bytes of one row of scales, or of scale and bias pairs; 0 for float weights. */
export function pairBytesPerRow(format: WeightFormat, paddedColumns: number): number {
  if (!("scales" in format)) return 0;
  return 4 * (paddedColumns / format.group) * (hasPairs(format) ? pairWords(format) : 1);
}

/** Bytes that one row takes on the GPU. */
export function bytesPerRow(format: WeightFormat, paddedColumns: number): number {
  return codeBytesPerRow(format, paddedColumns) + pairBytesPerRow(format, paddedColumns);
}

/** Bytes that a matrix takes on the GPU. */
export function matrixBytes(matrix: Matrix): number {
  return matrix.parts.reduce((sum, part) => sum + part.rows * bytesPerRow(part.format, matrix.paddedColumns), 0);
}

/** Allocate a matrix for runs of rows, split wherever one binding could not show it all. */
export async function allocateMatrix(gpu: Gpu, label: string, columns: number, runs: readonly RowRun[]): Promise<Matrix> {
  const paddedColumns = padColumns(columns);
  const parts: MatrixPart[] = [];
  let rowStart = 0;
  for (const { rows, format } of runs) {
    const rowBytes = Math.max(codeBytesPerRow(format, paddedColumns), pairBytesPerRow(format, paddedColumns));
    const fitting = Math.floor(gpu.maxBindingBytes / rowBytes);
    // Whole tiles where they fit; pairs of rows, at least, stay together.
    const rowsPerPart = fitting >= 256 ? fitting - (fitting % 256) : fitting - (fitting % 2);
    if (rowsPerPart === 0) {
      throw new HearthError("unsupported-checkpoint", `${label}: rows of ${columns} columns are more than this GPU can bind (${gpu.maxBindingBytes} bytes)`);
    }
    for (let first = 0; first < rows; first += rowsPerPart) {
      parts.push(await allocatePart(gpu, label, paddedColumns, rowStart + first, Math.min(rowsPerPart, rows - first), format));
    }
    rowStart += rows;
  }
  return { label, rows: rowStart, columns, paddedColumns, parts };
}

async function allocatePart(gpu: Gpu, label: string, paddedColumns: number, rowStart: number, rows: number, format: WeightFormat): Promise<MatrixPart> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const codes = await gpu.allocate(label, rows * codeBytesPerRow(format, paddedColumns), usage);
  const pairBytes = rows * pairBytesPerRow(format, paddedColumns);
  const pairs = pairBytes > 0 ? await gpu.allocate(`${label} scales`, pairBytes, usage) : undefined;
  return { rowStart, rows, format, codes, pairs };
}

/** Free a matrix's buffers. */
export function destroyMatrix(matrix: Matrix): void {
  for (const { codes, pairs } of matrix.parts) {
    codes.destroy();
    pairs?.destroy();
  }
}

/** Whether two formats are read by the same shader. */
export function isSameFormat(a: WeightFormat, b: WeightFormat): boolean {
  return formatKey(a) === formatKey(b);
}

const CODE_WORDS = { q4: "4-bit", q8: "8-bit", nf4: "nf4", fp4: "fp4", e2m1: "fp4 (e2m1)", e4m3: "fp8 (e4m3)" };

/** A format in words for people, such as "4-bit, group 64". */
export function formatWords(format: WeightFormat): string {
  return "scales" in format ? `${CODE_WORDS[format.codes]}, group ${format.group}` : format.codes;
}

/** A short name of a format, such as "q4 f16 g64". */
export function formatKey(format: WeightFormat): string {
  return "scales" in format ? `${format.codes} ${format.scales} g${format.group}` : format.codes;
}

const WEIGHT_PARTS = {
  q4: [codesQ4, weightAffine],
  q8: [codesQ8, weightAffine],
  nf4: [codebookNf4, weightCodebook, dotLoaded],
  fp4: [codebookFp4, weightCodebook, dotLoaded],
  e2m1: [codebookE2m1, weightCodebook, dotLoaded],
  e4m3: [weightE4m3, dotLoaded],
  f32: [weightF32, dotLoaded],
  f16: [halvesF16, weightHalves, dotLoaded],
  bf16: [halvesBf16, weightHalves, dotLoaded],
};
const SCALE_PARTS = { f16: scalesF16, bf16: scalesBf16, f32: scalesF32 };

/** The shader parts that read a format: `load_weights`, `fetch_weights` and `dot_weights`. */
export function weightShaderParts(format: WeightFormat): string[] {
  const weights = [block, ...WEIGHT_PARTS[format.codes]];
  if (!("scales" in format)) return weights;
  return [...weights, hasPairs(format) ? SCALE_PARTS[format.scales] : scalesSingle];
}

/** The shader parts, beside those, that take codes as signed bytes, with scales that suit them: `packed_codes` and `packed_scale`. */
export function packedShaderParts({ codes }: AffineFormat): string[] {
  return [packed, codes === "q4" ? packedQ4 : packedQ8];
}

/** The constants that those parts, and all kernels over a matrix part, expect. */
export function weightConstants(matrix: Matrix, part: MatrixPart): Record<string, number> {
  const shape = { K: matrix.paddedColumns, PART_ROWS: part.rows, ROW_START: part.rowStart };
  return "scales" in part.format ? { ...shape, GROUP: part.format.group } : shape;
}

/** The bindings of a matrix part in any kernel over it. */
export function weightBindings(part: MatrixPart): Bindings {
  return { 8: part.codes, 9: part.pairs };
}
