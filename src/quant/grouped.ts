import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import type { WeightFormat } from "./matrix.ts";
import { BINDINGS, type CodeSource, type ModuleQuery, type ModuleTensor, type ModuleWeights, type ScaleSource, type ZeroSource } from "./module_weights.ts";

/** What formats of grouped codes have in common. */
export interface Grouped {
  query: ModuleQuery;
  bits: number;
  codes: TensorEntry;
  source: CodeSource;
  scales: TensorEntry;
  /** How the scales' bytes are read, where they are not as stored. */
  prepareScales?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  scale: ScaleSource;
  /** Columns that share a scale; a row's last group may have fewer. */
  sourceGroup: number;
  /** Further tensors that the last step reads, or that are only checked. */
  held?: readonly ModuleTensor[];
  unread?: readonly TensorEntry[];
}

/** Integer codes, w = scale * (code - zero). */
export interface GroupedIntegers extends Grouped {
  zero: ZeroSource;
  /** Whether a held tensor lists the group of every column. */
  hasListedGroups?: boolean;
}

const PRECISIONS = { F16: "f16", BF16: "bf16", F32: "f32", F8_E8M0: "e8m0", F8_E4M3: "e4m3" } as const;

/** How scales of a type are stored, for those types that can be scales. */
export function scalePrecision(dtype: string): (typeof PRECISIONS)[keyof typeof PRECISIONS] | undefined {
  return PRECISIONS[dtype as keyof typeof PRECISIONS];
}

/**
 * A module of integer codes. Groups that the runtime's blocks of 32 columns cannot follow (smaller ones, or columns
 * grouped in an order of their own) are dequantised to half floats as they load: right, but four times as large.
 */
export function integerModule(options: GroupedIntegers): ModuleWeights {
  const { query, bits, sourceGroup, zero, hasListedGroups = false } = options;
  requireWholeBlocks(query);
  const group = runtimeGroup(sourceGroup, query.columns);
  const fits = group % 32 === 0 && !hasListedGroups;
  if (!fits && zero.kind === "bias") throw unsupportedModule(query.module, `quantised in groups of ${sourceGroup} of ${query.columns} columns`);
  const format: WeightFormat = fits ? { codes: bits <= 4 ? "q4" : "q8", scales: pairPrecision(options), group } : { codes: "f16" };
  return groupedModule(options, format, { zero, hasListedGroups });
}

/** A module of codes that stand for signed values of a codebook, w = scale * value. */
export function codebookModule(options: Grouped, codes: "nf4" | "fp4" | "e2m1" | "e4m3"): ModuleWeights {
  const { query, sourceGroup } = options;
  requireWholeBlocks(query);
  const group = runtimeGroup(sourceGroup, query.columns);
  if (group % 16 !== 0) throw unsupportedModule(query.module, `quantised in groups of ${sourceGroup} of ${query.columns} columns`);
  const format: WeightFormat = { codes, scales: "f32", group: group % 32 === 0 ? group : 16 };
  return groupedModule(options, format, { zero: { kind: "constant", zero: 0 }, hasListedGroups: false });
}

function groupedModule(options: Grouped, format: WeightFormat, zero: { zero: ZeroSource; hasListedGroups: boolean }): ModuleWeights {
  const { query: { rows, columns }, codes, source, scales, prepareScales, scale, sourceGroup, held = [], unread } = options;
  const tensors: ModuleTensor[] = [
    { role: "packed", entry: codes, source },
    { role: "held", entry: scales, binding: BINDINGS.scales, prepare: prepareScales },
    ...held,
  ];
  return { format, rows, columns, tensors, finish: { scale, sourceGroup, ...zero }, unread };
}

/** Zero points that are powers of two keep the scales' own precision; other products with a scale need f32. */
function pairPrecision({ scale: { precision, divisor, factor }, zero }: GroupedIntegers): "f16" | "bf16" | "f32" {
  const isExact = zero.kind === "constant" && Number.isInteger(Math.log2(zero.zero)) && divisor === undefined && factor === undefined;
  return isExact && (precision === "f16" || precision === "bf16") ? precision : "f32";
}

/** The widest group that divides both the stored groups and the row. */
function runtimeGroup(sourceGroup: number, columns: number): number {
  return sourceGroup >= columns ? columns : commonDivisor(sourceGroup, columns);
}

/** The greatest common divisor. */
export function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function requireWholeBlocks({ module, columns }: ModuleQuery): void {
  if (columns % 32 !== 0) throw unsupportedModule(module, `quantised with ${columns} columns, no multiple of 32`);
}
