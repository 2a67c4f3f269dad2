import { HearthError } from "../errors.ts";
import { decodeFloats, isFloatDtype, type FloatDtype } from "../formats/floats.ts";
import type { Quantization } from "../formats/model_config.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import type { WeightFile } from "../formats/shard_index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Uploader } from "../gpu/upload.ts";
import type { ModuleSpec } from "../kernels/decoder_spec.ts";
import { isCalibration, recogniseModule } from "../quant/module.ts";
import { ModuleRepack, WholeTensor, type TensorConsumer } from "../quant/module_repack.ts";
import type { ModuleWeights } from "../quant/module_weights.ts";
import { quantisedOnLoad, type QuantizedWidth } from "../quant/quantise.ts";
import type { RowTarget } from "../quant/repack.ts";
import type { CheckpointFile } from "../storage/checkpoint.ts";
import { tensorNaming } from "./tensor_names.ts";

/** One tensor to be read, and what to do with it. */
export interface TensorJob {
  entry: TensorEntry;
  consume: () => Promise<TensorConsumer>;
}

/** Where a vector's elements go in an f32 buffer, after adding `offset` and multiplying by `scale`. */
export interface VectorTarget {
  buffer: GPUBuffer;
  values: Float32Array<ArrayBuffer>;
  /** Index of element i, or several. */
  place: (i: number) => number | readonly number[];
  offset?: number;
  scale?: number | ((i: number) => number);
}

/** How weights are stored, and how they are to be kept. */
export interface StorageOptions {
  quantization: Quantization | undefined;
  /** Width that a module's floats are quantised to while they load, if at all. */
  widthOnLoad: (module: string) => QuantizedWidth | undefined;
}

/** Finds the tensors of a checkpoint, and collects the jobs of those that a model wants. */
export class WeightJobs {
  readonly #gpu: Gpu;
  readonly #uploader: Uploader;
  readonly #quantization: Quantization | undefined;
  readonly #tensors = new Map<string, TensorEntry>();
  readonly #jobs = new Map<string, TensorJob>();
  /** A tensor's name as the checkpoint spells it. */
  readonly nameInFile: (name: string) => string;
  readonly #unread = new Set<string>();
  readonly #widthOnLoad: (module: string) => QuantizedWidth | undefined;

  /** `embedding` is the model's name for its embedding table, which tells how the checkpoint spells all names. */
  constructor(gpu: Gpu, uploader: Uploader, files: readonly WeightFile<CheckpointFile>[], { quantization, widthOnLoad }: StorageOptions, embedding: string) {
    this.#gpu = gpu;
    this.#uploader = uploader;
    this.#quantization = quantization;
    this.#widthOnLoad = widthOnLoad;
    for (const { header } of files) for (const [name, entry] of header.tensors) this.#tensors.set(name, entry);
    this.nameInFile = tensorNaming(embedding, (name) => this.#tensors.has(name));
  }

  /** Whether the checkpoint has a tensor. */
  has(name: string): boolean {
    return this.#tensors.has(this.nameInFile(name));
  }

  /** The shape of a tensor, if the checkpoint has it. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#tensors.get(this.nameInFile(name))?.shape;
  }

  /** Whether the checkpoint has a module's weight, in any format. */
  hasModule(module: string): boolean {
    const name = this.nameInFile(module);
    const prefix = `${name}.`;
    return this.#tensors.has(`${name}_blocks`) || [...this.#tensors.keys()].some((tensor) => tensor.startsWith(prefix) && tensor !== `${prefix}bias`);
  }

  /** Whether the checkpoint has a source of rows: a module, or a parameter. */
  hasSource({ module, stack }: ModuleSpec): boolean {
    return stack === undefined ? this.hasModule(module) : this.has(module);
  }

  /** The name of a module's bias: experts that are parameters rather than modules spell it with an underscore. */
  biasOf(module: string): string {
    return this.has(`${module}_bias`) ? `${module}_bias` : `${module}.bias`;
  }

  /** Learn how a linear module is stored, and check its shape against the config's. */
  recognise({ module, rows, isTransposed, stack = 1 }: ModuleSpec, columns: number): ModuleWeights {
    const name = this.nameInFile(module);
    const [expectedRows, expectedColumns] = isTransposed ? [columns * stack, rows / stack] : [rows, columns];
    // A parameter that is no module has its weight under the name itself.
    const find = (tensor: string) => stacked(this.#tensors.get(tensor) ?? (tensor === `${name}.weight` ? this.#tensors.get(name) : undefined));
    const query = { module: name, rows: expectedRows, columns: expectedColumns, find };
    const found = recogniseModule(query, this.#quantization);
    if (found.rows !== expectedRows || found.columns !== expectedColumns) {
      throw new HearthError(
        "corrupt-checkpoint",
        `${name}.weight: expected [${expectedRows}, ${expectedColumns}] by config.json, found [${found.rows}, ${found.columns}]`,
      );
    }
    if (isTransposed && "scales" in found.format) {
      throw new HearthError("unsupported-checkpoint", `${name}: quantised and stored transposed, which Hearth does not read`);
    }
    const width = this.#widthOnLoad(module);
    const placed = { ...found, rows, columns };
    return width ? quantisedOnLoad(placed, width) : placed;
  }

  /** Want all tensors of a module, repacked into its rows of a fused matrix. */
  wantMatrix({ isTransposed, stack = 1 }: ModuleSpec, module: ModuleWeights, target: RowTarget): void {
    const repack = new ModuleRepack(this.#gpu, this.#uploader, module, target);
    for (const tensor of module.tensors) {
      const consumer = () => repack.consumer(tensor);
      this.#want(tensor.entry, isTransposed ? async () => transposingConsumer(tensor.entry, stack, await consumer()) : consumer);
    }
    for (const { name } of module.unread ?? []) this.#unread.add(name);
  }

  /** Want a vector of `length` floats. */
  wantVector(name: string, length: number, target: VectorTarget): void {
    const entry = this.#tensors.get(this.nameInFile(name));
    if (!entry) throw new HearthError("corrupt-checkpoint", `${name}: expected in the checkpoint, found in none of its files`);
    const { dtype, shape } = entry;
    if (!isFloatDtype(dtype) || shape.reduce((product, size) => product * size, 1) !== length) {
      throw new HearthError("corrupt-checkpoint", `${name}: expected ${length} floats, found ${dtype} [${shape}]`);
    }
    this.#want(entry, async () => vectorConsumer(this.#gpu, entry, dtype, target));
  }

  #want(entry: TensorEntry, consume: () => Promise<TensorConsumer>): void {
    this.#jobs.set(entry.name, { entry, consume });
  }

  /** The jobs of one file's tensors, in the order of their bytes. */
  inFile(file: WeightFile<CheckpointFile>): TensorJob[] {
    const jobs = [...file.header.tensors.keys()].flatMap((name) => this.#jobs.get(name) ?? []);
    return jobs.sort((a, b) => a.entry.begin - b.entry.begin);
  }

  /** Refuse a checkpoint with tensors that nothing reads: its model would compute something else. */
  assertNothingLeftOver(isIgnorable: (name: string) => boolean): void {
    const leftOver = [...this.#tensors.keys()].filter((name) => !this.#jobs.has(name) && !this.#unread.has(name) && !isCalibration(name) && !isIgnorable(name));
    if (leftOver.length === 0) return;
    throw new HearthError("unsupported-checkpoint", `The checkpoint has ${leftOver.length} tensors that its model_type does not account for, such as ${leftOver.slice(0, 3).join(", ")}`);
  }
}

/** Matrices of experts in one tensor `[experts, rows, columns]` lie one under another. */
function stacked(entry: TensorEntry | undefined): TensorEntry | undefined {
  if (entry?.shape.length !== 3) return entry;
  const [experts, rows, columns] = entry.shape;
  return { ...entry, shape: [experts * rows, columns] };
}

/** Takes a vector of floats of any type to its places in an f32 buffer. */
function vectorConsumer({ device }: Gpu, entry: TensorEntry, dtype: FloatDtype, target: VectorTarget): TensorConsumer {
  const { buffer, values, place, offset = 0, scale = 1 } = target;
  return new WholeTensor(entry, async (bytes) => {
    for (const [i, value] of decodeFloats(bytes, dtype).entries()) {
      for (const index of [place(i)].flat()) values[index] = (value + offset) * (typeof scale === "number" ? scale : scale(i));
    }
    device.queue.writeBuffer(buffer, 0, values);
  });
}

/** Takes matrices of whole elements column by column: turns them on the CPU, where they are held whole. */
function transposingConsumer(entry: TensorEntry, stack: number, next: TensorConsumer): TensorConsumer {
  const [rows, columns] = [entry.shape[0] / stack, entry.shape[1]];
  return new WholeTensor(entry, async (bytes) => {
    const size = rows * columns;
    const Elements = bytes.byteLength === stack * size * 4 ? Uint32Array : Uint16Array;
    for (let matrix = 0; matrix < stack; matrix++) {
      const elements = new Elements(bytes.buffer, matrix * size * Elements.BYTES_PER_ELEMENT, size);
      const turned = new Elements(size);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) turned[column * rows + row] = elements[row * columns + column];
      }
      await next.write(new Uint8Array(turned.buffer));
    }
    await next.end();
  });
}
