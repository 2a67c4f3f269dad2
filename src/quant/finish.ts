import type { Bindings } from "../gpu/dispatch.ts";
import type { ShaderConstants } from "../gpu/shader.ts";
import biasOfZero from "../../shaders/repack/bias_of_zero.wgsl?raw";
import biasStored from "../../shaders/repack/bias_stored.wgsl?raw";
import factorNone from "../../shaders/repack/factor_none.wgsl?raw";
import factorOver from "../../shaders/repack/factor_over.wgsl?raw";
import factorTimes from "../../shaders/repack/factor_times.wgsl?raw";
import finishF16 from "../../shaders/repack/finish_f16.wgsl?raw";
import finishPairs from "../../shaders/repack/finish_pairs.wgsl?raw";
import finishScales from "../../shaders/repack/finish_scales.wgsl?raw";
import floatsBf16 from "../../shaders/repack/floats_bf16.wgsl?raw";
import floatsE4m3 from "../../shaders/repack/floats_e4m3.wgsl?raw";
import floatsE8m0 from "../../shaders/repack/floats_e8m0.wgsl?raw";
import floatsF16 from "../../shaders/repack/floats_f16.wgsl?raw";
import floatsF32 from "../../shaders/repack/floats_f32.wgsl?raw";
import floatsNested from "../../shaders/repack/floats_nested.wgsl?raw";
import groupsEven from "../../shaders/repack/groups_even.wgsl?raw";
import groupsListed from "../../shaders/repack/groups_listed.wgsl?raw";
import scaleOf from "../../shaders/repack/scale_of.wgsl?raw";
import storePairBf16 from "../../shaders/repack/store_pair_bf16.wgsl?raw";
import storePairF16 from "../../shaders/repack/store_pair_f16.wgsl?raw";
import storePairF32 from "../../shaders/repack/store_pair_f32.wgsl?raw";
import zeroAwq from "../../shaders/repack/zero_awq.wgsl?raw";
import zeroBytes from "../../shaders/repack/zero_bytes.wgsl?raw";
import zeroConstant from "../../shaders/repack/zero_constant.wgsl?raw";
import zeroFloats from "../../shaders/repack/zero_floats.wgsl?raw";
import zeroStream from "../../shaders/repack/zero_stream.wgsl?raw";
import { codeBytesPerRow, hasPairs, pairWords, type Matrix, type MatrixPart } from "./matrix.ts";
import { BINDINGS, type ModuleWeights, type ScaleSource, type ZeroSource } from "./module_weights.ts";

/** The shader of a module's last step. */
export interface FinishRecipe {
  name: string;
  shaders: readonly string[];
  constants: ShaderConstants;
  itemsPerRow: number;
  bindings: (held: ReadonlyMap<number, GPUBuffer>) => (part: MatrixPart) => Bindings;
}

interface Part {
  shader: string;
  constants: ShaderConstants;
}

const FLOATS = { f16: floatsF16, bf16: floatsBf16, f32: floatsF32, e8m0: floatsE8m0, e4m3: floatsE4m3 };
const FACTORS = { none: factorNone, times: factorTimes, over: factorOver };
const STORE_PAIR = { f16: storePairF16, bf16: storePairBf16, f32: storePairF32 };

/** How to turn a module's stored scales and zero points into the form that its format has on the GPU. */
export function finishRecipe({ format, rows, columns, finish }: ModuleWeights, { paddedColumns }: Matrix): FinishRecipe {
  if (!finish) throw new Error("a module without a last step was finished");
  const { scale, sourceGroup: SOURCE_GROUP } = finish;
  const shaders = [...scaleShaders(scale), scaleOf];
  const constants = { ...scaleConstants(scale), SOURCE_GROUP };
  const withTarget = (target: (part: MatrixPart) => GPUBuffer) => (held: ReadonlyMap<number, GPUBuffer>) => (part: MatrixPart) => ({ ...Object.fromEntries(held), [BINDINGS.target]: target(part) });
  if (!("scales" in format)) {
    const zero = zeroPart(finish.zero, rows);
    return {
      name: "finish_f16",
      shaders: [...shaders, zero.shader, finish.hasListedGroups ? groupsListed : groupsEven, finishF16],
      constants: { ...constants, ...zero.constants, COLUMNS: columns, TARGET_WORDS: codeBytesPerRow(format, paddedColumns) / 4 },
      itemsPerRow: Math.ceil(columns / 2),
      bindings: withTarget((part) => part.codes),
    };
  }
  const GROUPS = paddedColumns / format.group;
  const common = { itemsPerRow: GROUPS, bindings: withTarget((part) => part.pairs!) }; // allocated for every quantised format
  const grouped = { ...constants, GROUPS, GROUP: format.group };
  if (!hasPairs(format)) return { name: "finish_scales", shaders: [...shaders, finishScales], constants: grouped, ...common };
  const bias = biasPart(finish.zero, rows);
  return { name: "finish_pairs", shaders: [...shaders, ...bias.shaders, STORE_PAIR[format.scales], finishPairs], constants: { ...grouped, ...bias.constants, PAIR_WORDS: pairWords(format) }, ...common };
}

function scaleShaders({ precision, factor }: ScaleSource): string[] {
  return [typeof precision === "string" ? FLOATS[precision] : floatsNested, FACTORS[factor ?? "none"]];
}

function scaleConstants({ precision, blockRows, rowStep, groupStep, divisor }: ScaleSource): Record<string, number> {
  return {
    SCALE_BLOCK_ROWS: blockRows,
    SCALE_ROW_STEP: rowStep,
    SCALE_GROUP_STEP: groupStep,
    DIVISOR: divisor ?? 1,
    ...(typeof precision === "string" ? {} : { NESTED_BLOCK: precision.nestedBlock }),
  };
}

function biasPart(zero: ZeroSource, rows: number): { shaders: string[]; constants: ShaderConstants } {
  if (zero.kind === "bias") return { shaders: [biasStored], constants: { BIAS_ROW_STEP: zero.rowStep, BIAS_GROUP_STEP: zero.groupStep, ZERO: zero.zero } };
  const { shader, constants } = zeroPart(zero, rows);
  return { shaders: [shader, biasOfZero], constants };
}

function zeroPart(zero: ZeroSource, rows: number): Part {
  switch (zero.kind) {
    case "constant":
      return { shader: zeroConstant, constants: { ZERO: zero.zero } };
    case "stream":
      return { shader: zeroStream, constants: streamConstants(zero) };
    case "awq":
      return { shader: zeroAwq, constants: { ROW_WORDS: rows / 8 } };
    case "bytes":
      return { shader: zeroBytes, constants: { ZERO_ROW_STEP: zero.rowStep, ZERO_GROUP_STEP: zero.groupStep } };
    case "floats":
      return { shader: zeroFloats, constants: { ZERO_ROW_STEP: zero.rowStep, ZERO_GROUP_STEP: zero.groupStep } };
    case "bias":
      throw new Error("biases are for formats of pairs");
    default:
      throw zero satisfies never;
  }
}

function streamConstants({ bits, groupStep, wordStep, wordAdd, add }: Extract<ZeroSource, { kind: "stream" }>): Record<string, number> {
  return { ZERO_BITS: bits, ZERO_GROUP_STEP: groupStep, ZERO_WORD_STEP: wordStep, ZERO_WORD_ADD: wordAdd, ZERO_ADD: add };
}
