import { commonDivisor } from "./grouped.ts";
import { hasPairs, isSameFormat, type AffineFormat, type WeightFormat } from "./matrix.ts";
import type { ModuleTensor, ModuleWeights } from "./module_weights.ts";
import { keptInFloats } from "./quantise.ts";

/**
 * The same modules in one format where that loses nothing, for matrices whose rows lie in turn: narrow integer codes
 * take the wider layout, groups that are still to be finished split into the largest common ones, and floats beside floats
 * that are too few to be quantised stay floats.
 */
export function inOneFormat(modules: readonly ModuleWeights[]): readonly ModuleWeights[] {
  const formats = modules.map(({ format }) => format);
  if (formats.every((format) => isSameFormat(format, formats[0]))) return modules;
  if (!formats.every(hasPairs)) return modules.map(keptInFloats);
  const common: AffineFormat = {
    codes: formats.some(({ codes }) => codes === "q8") ? "q8" : "q4",
    scales: formats.every(({ scales }) => scales === formats[0].scales) ? formats[0].scales : "f32",
    group: formats.map(({ group }) => group).reduce(commonDivisor),
  };
  return modules.every((module) => canBecome(module, common)) ? modules.map((module) => inFormat(module, common)) : modules;
}

/** Pairs that are copied as they are stored stay as they are; only those that a last step makes can change. */
function canBecome({ format, finish }: ModuleWeights, common: AffineFormat): boolean {
  return finish !== undefined || isSameFormat({ ...format, codes: common.codes } as WeightFormat, common); // callers pass integer formats only
}

function inFormat(module: ModuleWeights, format: AffineFormat): ModuleWeights {
  const isWidened = module.format.codes === "q4" && format.codes === "q8";
  const widened = (tensor: ModuleTensor): ModuleTensor =>
    isWidened && tensor.role === "codes" ? { role: "packed", entry: tensor.entry, source: { kind: "stream", bits: 4, by: "rows" } } : tensor;
  return { ...module, format, tensors: module.tensors.map(widened) };
}
