import { HearthError } from "../errors.ts";
import type { Quantization } from "../formats/quantization.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { requiredTensor, stackedShape, type ModuleQuery, type ModuleTensor, type ModuleWeights } from "./module_weights.ts";

const BITS = [2, 3, 4, 5, 6, 8];
const NATIVE_BITS = [4, 8]; // widths whose words are the runtime's own, or nearly
const SCALES = { F16: "f16", BF16: "bf16", F32: "f32" } as const;
const GROUPS = [32, 64, 128];

/** How one module of an MLX checkpoint is packed, by the config. */
export function mlxSettings(module: string, quantization: Quantization | undefined): { bits: number; groupSize: number; mode: string } {
  if (quantization && "overrides" in quantization) return quantization.overrides.get(module) || quantization; // `false` beside scales contradicts itself; the tensors decide
  const { bits, groupSize } = quantization ?? {};
  if (bits === undefined || groupSize === undefined) {
    throw new HearthError("corrupt-checkpoint", `${module}: has quantised tensors, but config.json does not say at how many bits and in which groups`);
  }
  return { bits, groupSize, mode: "affine" };
}

/**
 * MLX affine quantisation: `weight` U32 `[rows, columns * bits / 32]`, each row one stream of codes, `scales` and
 * `biases` (`qbiases` where transformers wrote them) `[rows, columns / group]`; w = scale * code + bias. Scales may be
 * negative. Narrow codes take the next wider of the runtime's layouts.
 */
export function mlxAffineModule(query: ModuleQuery, weight: TensorEntry, quantization: Quantization | undefined): ModuleWeights {
  const { module, find } = query;
  const { bits, groupSize, mode } = mlxSettings(module, quantization);
  if (mode !== "affine" || !BITS.includes(bits) || !GROUPS.includes(groupSize)) {
    throw unsupportedModule(module, `quantised as MLX ${mode}, ${bits} bits, group ${groupSize}`);
  }
  const scales = requiredTensor(query, `${module}.scales`);
  const biases = find(`${module}.qbiases`) ?? requiredTensor(query, `${module}.biases`);
  const precision = SCALES[scales.dtype as keyof typeof SCALES];
  if (weight.dtype !== "U32" || !precision || biases.dtype !== scales.dtype) {
    throw new HearthError("corrupt-checkpoint", `${module}: expected U32 codes with float scales and biases alike, found ${weight.dtype}, ${scales.dtype}, ${biases.dtype}`);
  }
  const [rows, words] = stackedShape(weight);
  const columns = (words * 32) / bits;
  for (const entry of [scales, biases]) {
    const { name, shape } = entry;
    const [down, across] = stackedShape(entry);
    if (down !== rows || across * groupSize !== columns) {
      throw new HearthError("corrupt-checkpoint", `${name}: expected shape [${rows}, ${columns / groupSize}] beside codes [${weight.shape}] at ${bits} bits, found [${shape}]`);
    }
  }
  const codes: ModuleTensor = NATIVE_BITS.includes(bits) ? { role: "codes", entry: weight } : { role: "packed", entry: weight, source: { kind: "stream", bits, by: "rows" } };
  return {
    format: { codes: bits <= 4 ? "q4" : "q8", scales: precision, group: groupSize },
    rows,
    columns,
    tensors: [codes, { role: "scales", entry: scales }, { role: "biases", entry: biases }],
  };
}
