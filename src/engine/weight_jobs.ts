import { HearthError } from "../errors.ts";
import { decodeFloats, isFloatDtype } from "../formats/floats.ts";
import type { MlxQuantization } from "../formats/model_config.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import type { WeightFile } from "../formats/shard_index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Uploader } from "../gpu/upload.ts";
import type { LinearSpec } from "../kernels/decoder_spec.ts";
import { recogniseModule } from "../quant/module.ts";
import type { ModuleWeights, TensorRole } from "../quant/module_weights.ts";
import { TensorRepacker, type RowTarget } from "../quant/repack.ts";
import type { WeightFormat } from "../quant/matrix.ts";
import type { CheckpointFile } from "../storage/checkpoint.ts";

/** Takes one tensor's bytes in slices. */
export interface TensorConsumer {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** One tensor to be read, and what to do with it. */
export interface TensorJob {
  entry: TensorEntry;
  consume: () => Promise<TensorConsumer>;
}

/** Where a vector's elements go in an f32 buffer. */
export interface VectorTarget {
  buffer: GPUBuffer;
  values: Float32Array<ArrayBuffer>;
  /** Index of element i. */
  place: (i: number) => number;
}

/** Finds the tensors of a checkpoint, and collects the jobs of those that a model wants. */
export class WeightJobs {
  readonly #gpu: Gpu;
  readonly #uploader: Uploader;
  readonly #quantization: MlxQuantization | undefined;
  readonly #tensors = new Map<string, TensorEntry>();
  readonly #jobs = new Map<string, TensorJob>();

  constructor(gpu: Gpu, uploader: Uploader, files: readonly WeightFile<CheckpointFile>[], quantization: MlxQuantization | undefined) {
    this.#gpu = gpu;
    this.#uploader = uploader;
    this.#quantization = quantization;
    for (const { header } of files) for (const [name, entry] of header.tensors) this.#tensors.set(name, entry);
  }

  /** Whether the checkpoint has a tensor. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Learn how a linear module is stored, and check its shape against the config's. */
  recognise(linear: LinearSpec): ModuleWeights {
    const module = recogniseModule(linear.module, (name) => this.#tensors.get(name), this.#quantization);
    if (module.rows !== linear.rows || module.columns !== linear.columns) {
      throw new HearthError(
        "corrupt-checkpoint",
        `${linear.module}.weight: expected [${linear.rows}, ${linear.columns}] by config.json, found [${module.rows}, ${module.columns}]`,
      );
    }
    return module;
  }

  /** Want all tensors of a module, repacked into its rows of a fused matrix. */
  wantMatrix(module: ModuleWeights, target: RowTarget): void {
    for (const { role, entry } of module.tensors) this.#want(entry, () => this.#repacker(target, module.rows, role, module.format));
  }

  #repacker(target: RowTarget, rows: number, role: TensorRole, format: WeightFormat): Promise<TensorRepacker> {
    return TensorRepacker.create(this.#gpu, this.#uploader, target, rows, role, format);
  }

  /** Want a vector of `length` floats. */
  wantVector(name: string, length: number, target: VectorTarget): void {
    const entry = this.#tensors.get(name);
    if (!entry) throw new HearthError("corrupt-checkpoint", `${name}: expected in the checkpoint, found in none of its files`);
    const { dtype, shape } = entry;
    if (!isFloatDtype(dtype) || shape.length !== 1 || shape[0] !== length) {
      throw new HearthError("corrupt-checkpoint", `${name}: expected ${length} floats, found ${dtype} [${shape}]`);
    }
    this.#want(entry, async () => new VectorConsumer(this.#gpu, entry, target));
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
    const leftOver = [...this.#tensors.keys()].filter((name) => !this.#jobs.has(name) && !isIgnorable(name));
    if (leftOver.length === 0) return;
    throw new HearthError("unsupported-checkpoint", `The checkpoint has ${leftOver.length} tensors that its model_type does not account for, such as ${leftOver.slice(0, 3).join(", ")}`);
  }
}

class VectorConsumer implements TensorConsumer {
  readonly #gpu: Gpu;
  readonly #entry: TensorEntry;
  readonly #target: VectorTarget;
  readonly #bytes: Uint8Array;
  #filledBytes = 0;

  constructor(gpu: Gpu, entry: TensorEntry, target: VectorTarget) {
    this.#gpu = gpu;
    this.#entry = entry;
    this.#target = target;
    this.#bytes = new Uint8Array(entry.end - entry.begin);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes.set(bytes, this.#filledBytes);
    this.#filledBytes += bytes.byteLength;
  }

  async end(): Promise<void> {
    const { dtype } = this.#entry;
    if (!isFloatDtype(dtype)) throw new Error(`${this.#entry.name}: ${dtype} was let through`);
    const { buffer, values, place } = this.#target;
    for (const [i, value] of decodeFloats(this.#bytes, dtype).entries()) values[place(i)] = value;
    this.#gpu.device.queue.writeBuffer(buffer, 0, values);
  }
}
