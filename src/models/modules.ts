import type { LinearSpec, ModuleSpec } from "../kernels/decoder_spec.ts";
import type { RowMove } from "../quant/repack.ts";

/** A module of the checkpoint, before it is known where its rows go. */
export interface PlainModule {
  module: string;
  rows: number;
  bias: boolean;
  isTransposed?: boolean;
}

function placed({ module, rows, bias, isTransposed = false }: PlainModule, moves: readonly RowMove[]): ModuleSpec {
  return { module, rows, bias, isTransposed, moves };
}

/** Modules one under another. */
export function stacked(label: string, columns: number, modules: readonly PlainModule[]): LinearSpec {
  const sources: ModuleSpec[] = [];
  let to = 0;
  for (const module of modules) {
    sources.push(placed(module, [{ from: 0, rows: module.rows, to, stride: 1 }]));
    to += module.rows;
  }
  return { label, rows: to, columns, sources };
}

/** Gate and up, row by row in turn, so that one thread computes both: two modules, or one that holds both one under the other. */
export function interleaved(label: string, columns: number, modules: readonly PlainModule[]): LinearSpec {
  if (modules.length === 2) {
    const sources = modules.map((module, to) => placed(module, [{ from: 0, rows: module.rows, to, stride: 2 }]));
    return { label, rows: 2 * modules[0].rows, columns, sources };
  }
  const [both] = modules;
  const half = both.rows / 2;
  const moves = [0, 1].map((to) => ({ from: to * half, rows: half, to, stride: 2 }));
  return { label, rows: both.rows, columns, sources: [placed(both, moves)] };
}

/** One module whose rows come head by head, each head's query, key and value together, as in GPT-NeoX. */
export function headByHead(label: string, columns: number, module: PlainModule, heads: number): LinearSpec {
  const headDim = module.rows / heads / 3;
  const moves = Array.from({ length: 3 * heads }, (_, i) => {
    const [head, part] = [Math.floor(i / 3), i % 3];
    return { from: i * headDim, rows: headDim, to: (part * heads + head) * headDim, stride: 1 };
  });
  return { label, rows: module.rows, columns, sources: [placed(module, moves)] };
}

/** Whether a convolution's kernel `[channels, 1, taps]` has its last two dimensions exchanged, as MLX stores it. */
export function isTurnedKernel(shape: readonly number[]): boolean {
  return shape.at(-1) === 1;
}
