import type { ShaderConstants } from "../gpu/shader.ts";
import codesAwq from "../../shaders/repack/codes_awq.wgsl?raw";
import codesPlanes from "../../shaders/repack/codes_planes.wgsl?raw";
import codesQ4 from "../../shaders/repack/codes_q4.wgsl?raw";
import codesStream from "../../shaders/repack/codes_stream.wgsl?raw";
import codesWords from "../../shaders/repack/codes_words.wgsl?raw";
import copyHalves from "../../shaders/repack/copy_halves.wgsl?raw";
import copyWords from "../../shaders/repack/copy_words.wgsl?raw";
import pack4 from "../../shaders/repack/pack_4.wgsl?raw";
import pack8 from "../../shaders/repack/pack_8.wgsl?raw";
import floatsBf16 from "../../shaders/repack/floats_bf16.wgsl?raw";
import floatsF16 from "../../shaders/repack/floats_f16.wgsl?raw";
import floatsF32 from "../../shaders/repack/floats_f32.wgsl?raw";
import packF16 from "../../shaders/repack/pack_f16.wgsl?raw";
import pairs16 from "../../shaders/repack/pairs_16.wgsl?raw";
import pairs32 from "../../shaders/repack/pairs_32.wgsl?raw";
import quantise from "../../shaders/repack/quantise.wgsl?raw";
import storePairBf16 from "../../shaders/repack/store_pair_bf16.wgsl?raw";
import storePairF16 from "../../shaders/repack/store_pair_f16.wgsl?raw";
import storePairF32 from "../../shaders/repack/store_pair_f32.wgsl?raw";
import { codeBytesPerRow, hasPairs, pairWords, type Matrix, type MatrixPart, type WeightFormat } from "./matrix.ts";
import type { CodeSource, TensorRole } from "./module_weights.ts";

/** How one tensor becomes part of a matrix: its bytes come in units, either rows or blocks of 32 columns of all rows. */
export interface Recipe {
  name: string;
  shaders: readonly string[];
  constants: ShaderConstants;
  by: "rows" | "columns";
  /** How many units there are. */
  units: number;
  /** Rows that a unit holds: its own, and those as many units further on. 1 by default. */
  planes?: number;
  bytesPerUnit: number;
  /** Threads that a unit takes, of one row. */
  itemsPerUnit: number;
  target: (part: MatrixPart) => GPUBuffer;
  /** A second buffer that is filled at once. */
  secondTarget?: (part: MatrixPart) => GPUBuffer;
}

/** The recipe of a tensor that is stored nearly as the runtime keeps it. */
export function nativeRecipe(role: TensorRole, format: WeightFormat, matrix: Matrix, rows: number): Recipe {
  if (role === "quantised") return { ...quantising(format, matrix.columns), by: "rows", units: rows };
  const recipe = role === "codes" ? nativeCodes(format, matrix.columns, matrix.paddedColumns) : pairs(format, matrix.columns, role === "scales" ? 0 : 1);
  return { ...recipe, by: "rows", units: rows };
}

type RowRecipe = Omit<Recipe, "by" | "units">;

function nativeCodes(format: WeightFormat, columns: number, paddedColumns: number): RowRecipe {
  const target = (part: MatrixPart) => part.codes;
  const TARGET_WORDS = codeBytesPerRow(format, paddedColumns) / 4;
  if (format.codes === "f16" || format.codes === "bf16") {
    const constants = { SOURCE_HALVES: columns, TARGET_WORDS };
    return { name: "copy_halves", shaders: [copyHalves], constants, bytesPerUnit: 2 * columns, itemsPerUnit: Math.ceil(columns / 2), target };
  }
  const SOURCE_WORDS = codeBytesPerRow(format, columns) / 4;
  const [name, shader] = format.codes === "q4" ? ["codes_q4", codesQ4] : ["copy_words", copyWords];
  return { name, shaders: [shader], constants: { SOURCE_WORDS, TARGET_WORDS }, bytesPerUnit: 4 * SOURCE_WORDS, itemsPerUnit: SOURCE_WORDS, target };
}

const QUANTISE_PARTS = { f32: [floatsF32, storePairF32], f16: [floatsF16, storePairF16], bf16: [floatsBf16, storePairBf16] };

/** Float weights whose type the format's scales share, quantised by the row. */
function quantising(format: WeightFormat, columns: number): RowRecipe {
  if (!hasPairs(format)) throw new Error(`floats are not quantised to ${format.codes}`);
  const { scales, group } = format;
  const GROUPS = columns / group;
  return {
    name: "quantise",
    shaders: [...QUANTISE_PARTS[scales], quantise],
    constants: { BITS: format.codes === "q4" ? 4 : 8, GROUP: group, COLUMNS: columns, GROUPS, PAIR_WORDS: pairWords(format) },
    bytesPerUnit: columns * (scales === "f32" ? 4 : 2),
    itemsPerUnit: GROUPS,
    target: (part) => part.codes,
    secondTarget: (part) => part.pairs!, // allocated for every quantised format
  };
}

function pairs(format: WeightFormat, columns: number, HALF: number): RowRecipe {
  if (!("scales" in format)) throw new Error(`${format.codes} weights have no scales`);
  const groups = columns / format.group;
  const target = (part: MatrixPart) => part.pairs!; // allocated for every quantised format
  if (format.scales === "f32") {
    return { name: "pairs_32", shaders: [pairs32], constants: { SOURCE_WORDS: groups, HALF }, bytesPerUnit: 4 * groups, itemsPerUnit: groups, target };
  }
  return { name: "pairs_16", shaders: [pairs16], constants: { SOURCE_HALVES: groups, HALF }, bytesPerUnit: 2 * groups, itemsPerUnit: groups, target };
}

/** The recipe of codes that are repacked one by one. */
export function packedRecipe(source: CodeSource, format: WeightFormat, matrix: Matrix, rows: number): Recipe {
  const { columns, paddedColumns } = matrix;
  const bits = codeBytesPerRow(format, 8);
  const [pack, shader] = bits === 4 ? ["pack_4", pack4] : bits === 8 ? ["pack_8", pack8] : ["pack_f16", packF16];
  const wordsPerBlock = bits;
  const blocks = columns / 32;
  const TARGET_WORDS = codeBytesPerRow(format, paddedColumns) / 4;
  const target = (part: MatrixPart) => part.codes;
  const recipe = (code: string, constants: ShaderConstants, by: "rows" | "columns", bytesPerUnit: number): Recipe => ({
    name: `codes_${source.kind} ${pack}`,
    shaders: [code, shader],
    constants: { ...constants, TARGET_WORDS },
    by,
    units: by === "rows" ? rows : blocks,
    bytesPerUnit,
    itemsPerUnit: by === "rows" ? blocks * wordsPerBlock : wordsPerBlock,
    target,
  });
  if (source.kind === "awq") return recipe(codesAwq, { ROW_WORDS: rows / 8 }, "columns", (32 * rows) / 2);
  if (source.kind === "words") {
    const ROW_STEP = Math.ceil(columns / Math.floor(32 / source.bits));
    return recipe(codesWords, { BITS: source.bits, ROW_STEP }, "rows", 4 * ROW_STEP);
  }
  if (source.kind === "planes") {
    const planes = 8 / source.bits;
    const constants = { BITS: source.bits, ROW_WORDS: columns / 4, HIGH_FIRST: Number(source.highFirst) };
    return { ...recipe(codesPlanes, constants, "rows", columns), units: rows / planes, planes };
  }
  const { by, swap = false, flip = 0 } = source;
  const rowWords = (columns * source.bits) / 32;
  const steps = by === "rows" ? { ROW_STEP: rowWords, WORD_STEP: 1 } : { ROW_STEP: 1, WORD_STEP: rows };
  return recipe(codesStream, { BITS: source.bits, ...steps, SWAP: Number(swap), FLIP: flip }, by, by === "rows" ? 4 * rowWords : 4 * source.bits * rows);
}
