import { HearthError } from "../errors.ts";
import { prepareDispatch, submitDispatches, type Bindings } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import type { Uploader } from "../gpu/upload.ts";
import slabPart from "../../shaders/lib/slab.wgsl?raw";
import type { Matrix, MatrixPart, WeightFormat } from "./matrix.ts";
import type { TensorRole } from "./module_weights.ts";
import { nativeRecipe, type Recipe } from "./recipes.ts";

/** Rows `from` to `from + rows` of a module go to rows `to`, `to + stride`, ... of a matrix. */
export interface RowMove {
  from: number;
  rows: number;
  to: number;
  stride: number;
}

/** Where a module's rows go in a matrix; rows that no move names go nowhere. */
export interface RowTarget {
  matrix: Matrix;
  moves: readonly RowMove[];
}

/** Neighbouring rows of a module, and where they lie in one part of a matrix. */
interface RowSpan {
  part: MatrixPart;
  sourceRow: number;
  rows: number;
  targetRow: number;
  stride: number;
}

const MAX_ROWS_PER_DISPATCH = 65_535; // workgroups per dimension

function* rowSpans({ matrix, moves }: RowTarget, firstRow: number, endRow: number): Generator<RowSpan> {
  for (const move of moves) {
    for (const part of matrix.parts) yield* spansOfMove(move, part, firstRow, endRow);
  }
}

function* spansOfMove({ from, rows, to, stride }: RowMove, part: MatrixPart, firstRow: number, endRow: number): Generator<RowSpan> {
  const begin = Math.max(firstRow, from, from + Math.ceil((part.rowStart - to) / stride));
  const end = Math.min(endRow, from + rows, from + Math.ceil((part.rowStart + part.rows - to) / stride));
  for (let row = begin; row < end; row += MAX_ROWS_PER_DISPATCH) {
    const targetRow = to + (row - from) * stride - part.rowStart;
    yield { part, sourceRow: row, rows: Math.min(MAX_ROWS_PER_DISPATCH, end - row), targetRow, stride };
  }
}

/** Compile a repacking kernel: its shader parts after the one that says what goes where. */
export function compileRepack(gpu: Gpu, { name, shaders, constants }: Pick<Recipe, "name" | "shaders" | "constants">): Promise<GPUComputePipeline> {
  return gpu.compile(`repack ${name}`, assembleShader([slabPart, ...shaders], constants));
}

/** A kernel that fills rows of a matrix, and what it reads. */
export interface RowKernel {
  name: string;
  pipeline: GPUComputePipeline;
  uniform: GPUBuffer;
  bindings: (part: MatrixPart) => Bindings;
  itemsPerRow: number;
}

/** Rows of a module that a source holds, the first of them as its row `first - inSource`; in `plane` of its bytes, where these have several. */
export interface RowRange {
  first: number;
  end: number;
  inSource: number;
  plane?: number;
}

/** Submit a kernel over a module's rows `firstRow` to `endRow`: one dispatch for each part of the matrix that holds some. */
export function repackRows(gpu: Gpu, kernel: RowKernel, target: RowTarget, rows: RowRange, blocks: { first: number; count: number }): void {
  const { device } = gpu;
  for (const span of rowSpans(target, rows.first, rows.end)) {
    device.queue.writeBuffer(kernel.uniform, 0, new Uint32Array([span.sourceRow - rows.inSource, span.targetRow, span.stride, blocks.first, blocks.count, rows.plane ?? 0, 0, 0]));
    const bindings = { ...kernel.bindings(span.part), 8: kernel.uniform };
    const workgroups = [Math.ceil(kernel.itemsPerRow / 64), span.rows, 1] as const;
    const dispatch = prepareDispatch(device, `repack ${kernel.name}`, kernel.pipeline, bindings, workgroups);
    submitDispatches(device, "repack", [dispatch]);
  }
}

/** Takes one tensor's bytes, in slices of any length, and repacks them on the GPU in slabs of whole units. */
export class TensorRepacker {
  readonly #gpu: Gpu;
  readonly #uploader: Uploader;
  readonly #target: RowTarget;
  readonly #rows: number;
  readonly #recipe: Recipe;
  readonly #pipeline: GPUComputePipeline;
  readonly #slabBytes: number;
  #filledBytes = 0;
  #unitsDone = 0;

  private constructor(gpu: Gpu, uploader: Uploader, target: RowTarget, rows: number, recipe: Recipe, pipeline: GPUComputePipeline) {
    this.#gpu = gpu;
    this.#uploader = uploader;
    this.#target = target;
    this.#rows = rows;
    this.#recipe = recipe;
    this.#pipeline = pipeline;
    const slabUnits = Math.min(Math.floor(uploader.capacity / recipe.bytesPerUnit), MAX_ROWS_PER_DISPATCH, recipe.units);
    this.#slabBytes = slabUnits * recipe.bytesPerUnit;
  }

  /** Prepare to take the `role` tensor of a module with `rows` rows stored in `format`. */
  static async create(gpu: Gpu, uploader: Uploader, target: RowTarget, rows: number, role: TensorRole, format: WeightFormat): Promise<TensorRepacker> {
    return TensorRepacker.createFor(gpu, uploader, target, rows, nativeRecipe(role, format, target.matrix, rows));
  }

  /** Prepare to take a tensor of a module with `rows` rows by a recipe. */
  static async createFor(gpu: Gpu, uploader: Uploader, target: RowTarget, rows: number, recipe: Recipe): Promise<TensorRepacker> {
    return new TensorRepacker(gpu, uploader, target, rows, recipe, await compileRepack(gpu, recipe));
  }

  /** Take the next bytes of the tensor. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let offset = 0; offset < bytes.byteLength; ) {
      const taken = Math.min(bytes.byteLength - offset, this.#slabBytes - this.#filledBytes);
      this.#uploader.stage(bytes.subarray(offset, offset + taken));
      this.#filledBytes += taken;
      offset += taken;
      if (this.#filledBytes === this.#slabBytes) await this.#flush();
    }
  }

  /** Repack what is left, and make sure that everything came. */
  async end(): Promise<void> {
    if (this.#filledBytes > 0) await this.#flush();
    const { units, by } = this.#recipe;
    if (this.#unitsDone !== units) {
      throw new HearthError("corrupt-checkpoint", `${this.#target.matrix.label}: expected ${units} ${by === "rows" ? "rows" : "blocks of columns"}, found ${this.#unitsDone}`);
    }
  }

  async #flush(): Promise<void> {
    const units = Math.floor(this.#filledBytes / this.#recipe.bytesPerUnit);
    await this.#uploader.consume(() => this.#repack(this.#unitsDone, units));
    this.#unitsDone += units;
    this.#filledBytes = 0;
  }

  #repack(first: number, count: number): void {
    const { name, by, units, planes = 1, itemsPerUnit, target, secondTarget } = this.#recipe;
    const kernel = {
      name,
      pipeline: this.#pipeline,
      uniform: this.#uploader.uniform,
      bindings: (part: MatrixPart) => ({ 0: this.#uploader.staging, 1: target(part), 2: secondTarget?.(part) }),
    };
    if (by === "rows") {
      const blocks = { first: 0, count: this.#target.matrix.paddedColumns / 32 };
      for (let plane = 0; plane < planes; plane++) {
        const row = plane * units + first;
        repackRows(this.#gpu, { ...kernel, itemsPerRow: itemsPerUnit }, this.#target, { first: row, end: row + count, inSource: row, plane }, blocks);
      }
    } else {
      const rows = { first: 0, end: this.#rows, inSource: 0 };
      repackRows(this.#gpu, { ...kernel, itemsPerRow: itemsPerUnit * count }, this.#target, rows, { first, count });
    }
  }
}
