import { HearthError } from "../errors.ts";
import { encodeDispatches, prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader, type ShaderConstants } from "../gpu/shader.ts";
import type { Uploader } from "../gpu/upload.ts";
import slabPart from "../../shaders/lib/slab.wgsl?raw";
import codesQ4 from "../../shaders/repack/codes_q4.wgsl?raw";
import copyHalves from "../../shaders/repack/copy_halves.wgsl?raw";
import copyWords from "../../shaders/repack/copy_words.wgsl?raw";
import pairs16 from "../../shaders/repack/pairs_16.wgsl?raw";
import pairs32 from "../../shaders/repack/pairs_32.wgsl?raw";
import { codeBytesPerRow, type Matrix, type MatrixPart, type WeightFormat } from "./matrix.ts";
import type { TensorRole } from "./module_weights.ts";

/** Where a module's rows go in a fused matrix: row r lands in row `start + r * stride`. */
export interface RowTarget {
  matrix: Matrix;
  start: number;
  stride: number;
}

interface Recipe {
  name: string;
  shader: string;
  constants: ShaderConstants;
  sourceBytesPerRow: number;
  /** Threads that a row takes. */
  itemsPerRow: number;
  target: (part: MatrixPart) => GPUBuffer;
}

function codesRecipe(format: WeightFormat, columns: number, paddedColumns: number): Recipe {
  const target = (part: MatrixPart) => part.codes;
  const TARGET_WORDS = codeBytesPerRow(format, paddedColumns) / 4;
  if (format.codes === "f16" || format.codes === "bf16") {
    const constants = { SOURCE_HALVES: columns, TARGET_WORDS };
    return { name: "copy_halves", shader: copyHalves, constants, sourceBytesPerRow: 2 * columns, itemsPerRow: Math.ceil(columns / 2), target };
  }
  const SOURCE_WORDS = codeBytesPerRow(format, columns) / 4;
  const [name, shader] = format.codes === "q4" ? ["codes_q4", codesQ4] : ["copy_words", copyWords];
  return { name, shader, constants: { SOURCE_WORDS, TARGET_WORDS }, sourceBytesPerRow: 4 * SOURCE_WORDS, itemsPerRow: SOURCE_WORDS, target };
}

function pairsRecipe(format: WeightFormat, columns: number, HALF: number): Recipe {
  if (!("scales" in format)) throw new Error(`${format.codes} weights have no scales`);
  const groups = columns / format.group;
  const target = (part: MatrixPart) => part.pairs!; // allocated for every quantised format
  if (format.scales === "f32") {
    return { name: "pairs_32", shader: pairs32, constants: { SOURCE_WORDS: groups, HALF }, sourceBytesPerRow: 4 * groups, itemsPerRow: groups, target };
  }
  return { name: "pairs_16", shader: pairs16, constants: { SOURCE_HALVES: groups, HALF }, sourceBytesPerRow: 2 * groups, itemsPerRow: groups, target };
}

function recipeFor(role: TensorRole, format: WeightFormat, matrix: Matrix): Recipe {
  if (role === "codes") return codesRecipe(format, matrix.columns, matrix.paddedColumns);
  return pairsRecipe(format, matrix.columns, role === "scales" ? 0 : 1);
}

const MAX_ROWS_PER_DISPATCH = 65_535; // workgroups per dimension

/** Takes one tensor's bytes, in slices of any length, and repacks them row by row on the GPU. */
export class TensorRepacker {
  readonly #gpu: Gpu;
  readonly #uploader: Uploader;
  readonly #target: RowTarget;
  readonly #rows: number;
  readonly #recipe: Recipe;
  readonly #pipeline: GPUComputePipeline;
  readonly #slabUniform: GPUBuffer;
  readonly #slab: Uint8Array<ArrayBuffer>;
  #filledBytes = 0;
  #rowsDone = 0;

  private constructor(gpu: Gpu, uploader: Uploader, target: RowTarget, rows: number, recipe: Recipe, pipeline: GPUComputePipeline, slabUniform: GPUBuffer) {
    this.#gpu = gpu;
    this.#uploader = uploader;
    this.#target = target;
    this.#rows = rows;
    this.#recipe = recipe;
    this.#pipeline = pipeline;
    this.#slabUniform = slabUniform;
    const slabRows = Math.min(Math.floor(uploader.capacity / recipe.sourceBytesPerRow), MAX_ROWS_PER_DISPATCH, rows);
    this.#slab = new Uint8Array(slabRows * recipe.sourceBytesPerRow);
  }

  /** Prepare to take the `role` tensor of a module with `rows` rows stored in `format`. */
  static async create(gpu: Gpu, uploader: Uploader, target: RowTarget, rows: number, role: TensorRole, format: WeightFormat): Promise<TensorRepacker> {
    const recipe = recipeFor(role, format, target.matrix);
    const pipeline = await gpu.compile(`repack ${recipe.name}`, assembleShader([slabPart, recipe.shader], recipe.constants));
    const slabUniform = await gpu.allocate("slab", 16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    return new TensorRepacker(gpu, uploader, target, rows, recipe, pipeline, slabUniform);
  }

  /** Take the next bytes of the tensor. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.byteLength; ) {
      const taken = Math.min(bytes.byteLength - offset, this.#slab.byteLength - this.#filledBytes);
      this.#slab.set(bytes.subarray(offset, offset + taken), this.#filledBytes);
      this.#filledBytes += taken;
      offset += taken;
      if (this.#filledBytes === this.#slab.byteLength) await this.#flush();
    }
  }

  /** Repack what is left, and make sure that all rows came. */
  async end(): Promise<void> {
    if (this.#filledBytes > 0) await this.#flush();
    this.#slabUniform.destroy();
    if (this.#rowsDone !== this.#rows) {
      throw new HearthError("corrupt-checkpoint", `${this.#target.matrix.label}: expected ${this.#rows} rows, found ${this.#rowsDone}`);
    }
  }

  async #flush(): Promise<void> {
    const rows = Math.floor(this.#filledBytes / this.#recipe.sourceBytesPerRow);
    const bytes = this.#slab.subarray(0, this.#filledBytes);
    await this.#uploader.upload(bytes, () => this.#repackRows(this.#rowsDone, this.#rowsDone + rows));
    this.#rowsDone += rows;
    this.#filledBytes = 0;
  }

  /** Submit one dispatch for each part of the matrix that holds some of the slab's rows. */
  #repackRows(firstRow: number, endRow: number): void {
    const { matrix, start, stride } = this.#target;
    for (const part of matrix.parts) {
      const begin = Math.max(firstRow, Math.ceil((part.rowStart - start) / stride));
      const end = Math.min(endRow, Math.ceil((part.rowStart + part.rows - start) / stride));
      if (begin >= end) continue;
      const slab = new Uint32Array([begin - firstRow, start + begin * stride - part.rowStart, stride, 0]);
      this.#gpu.device.queue.writeBuffer(this.#slabUniform, 0, slab);
      this.#submit(part, end - begin);
    }
  }

  #submit(part: MatrixPart, rows: number): void {
    const { device } = this.#gpu;
    const { name, itemsPerRow, target } = this.#recipe;
    const groups = [{ 0: this.#uploader.staging, 1: target(part) }, { 0: this.#slabUniform }];
    const dispatch = prepareDispatch(device, `repack ${name}`, this.#pipeline, groups, [Math.ceil(itemsPerRow / 64), rows, 1]);
    const encoder = device.createCommandEncoder({ label: "repack" });
    const pass = encoder.beginComputePass();
    encodeDispatches(pass, [dispatch]);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }
}
