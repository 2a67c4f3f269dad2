import type { TensorEntry } from "../formats/safetensors.ts";
import { unsupportedModule } from "./formats.ts";
import { integerModule } from "./grouped.ts";
import { BINDINGS, expectTensor, type ModuleQuery, type ModuleTensor, type ModuleWeights, type ScaleSource, type ZeroSource } from "./module_weights.ts";
import { heldFloats, scaleGrid } from "./scale_grid.ts";

const MIDDLE = 128; // signed codes become unsigned by adding it

/**
 * Signed bytes `[rows, columns]`, whose scales cover them in any of the usual grids; where asymmetric, zero points of the
 * scales' shape in signed bytes or floats; w = scale * (code - zero).
 */
export function signedBytes(query: ModuleQuery, codes: TensorEntry, scales: TensorEntry, zeros: TensorEntry | undefined, unread: readonly TensorEntry[]): ModuleWeights {
  const { module, rows, columns } = query;
  expectTensor(codes, ["I8"], [rows, columns]);
  const { scale, sourceGroup } = scaleGrid(query, scales);
  if (zeros) expectTensor(zeros, ["I8", "F32", "F16", "BF16"], scales.shape);
  if (zeros && scale.blockRows !== 1 && scale.rowStep !== 0) throw unsupportedModule(module, "quantised with zero points for blocks of rows");
  return integerModule({
    query, bits: 8, codes, source: { kind: "stream", bits: 8, by: "rows", flip: MIDDLE }, scales, scale, sourceGroup,
    zero: zeros ? storedZeros(zeros, scale) : { kind: "constant", zero: MIDDLE },
    held: zeros ? [heldZeros(zeros)] : [],
    unread,
  });
}

function storedZeros({ dtype }: TensorEntry, { rowStep, groupStep }: ScaleSource): ZeroSource {
  return { kind: dtype === "I8" ? "bytes" : "floats", rowStep, groupStep };
}

function heldZeros(zeros: TensorEntry): ModuleTensor {
  if (zeros.dtype === "I8") return { role: "held", entry: zeros, binding: BINDINGS.zeros };
  return heldFloats(zeros, BINDINGS.zeros, (zero) => zero + MIDDLE);
}
