import type { Gpu } from "../gpu/gpu.ts";
import { writeBytes, type Uploader } from "../gpu/upload.ts";
import type { TensorEntry } from "../formats/safetensors.ts";
import { finishRecipe } from "./finish.ts";
import type { ModuleTensor, ModuleWeights } from "./module_weights.ts";
import { packedRecipe } from "./recipes.ts";
import { compileRepack, repackRows, TensorRepacker, type RowTarget } from "./repack.ts";

/** Takes one tensor's bytes in slices. */
export interface TensorConsumer {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  end(): Promise<void>;
}

/** Repacks one module, whose tensors may come in any order, and finishes it when the last has come. */
export class ModuleRepack {
  readonly #gpu: Gpu;
  readonly #uploader: Uploader;
  readonly #module: ModuleWeights;
  readonly #target: RowTarget;
  readonly #held = new Map<number, GPUBuffer>();
  #missing: number;

  constructor(gpu: Gpu, uploader: Uploader, module: ModuleWeights, target: RowTarget) {
    this.#gpu = gpu;
    this.#uploader = uploader;
    this.#module = module;
    this.#target = target;
    this.#missing = module.tensors.length;
  }

  /** Prepare to take one of the module's tensors. */
  async consumer(tensor: ModuleTensor): Promise<TensorConsumer> {
    const consumer = tensor.role === "held" ? this.#holder(tensor) : await this.#repacker(tensor);
    return {
      write: (bytes) => consumer.write(bytes),
      end: async () => {
        await consumer.end();
        this.#missing--;
        if (this.#missing === 0 && this.#module.finish) await this.#finish();
      },
    };
  }

  #repacker(tensor: Exclude<ModuleTensor, { role: "held" }>): Promise<TensorRepacker> {
    const { rows, format } = this.#module;
    if (tensor.role !== "packed") return TensorRepacker.create(this.#gpu, this.#uploader, this.#target, rows, tensor.role, format);
    const recipe = packedRecipe(tensor.source, format, this.#target.matrix, rows);
    return TensorRepacker.createFor(this.#gpu, this.#uploader, this.#target, rows, recipe);
  }

  #holder({ entry, binding, prepare }: Extract<ModuleTensor, { role: "held" }>): TensorConsumer {
    return new WholeTensor(entry, async (bytes) => {
      const prepared = prepare ? prepare(bytes) : bytes;
      if (binding === undefined) return;
      const buffer = await this.#gpu.allocate(entry.name, prepared.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
      writeBytes(this.#gpu.device, buffer, prepared);
      this.#held.set(binding, buffer);
    });
  }

  async #finish(): Promise<void> {
    const recipe = finishRecipe(this.#module, this.#target.matrix);
    const kernel = {
      name: recipe.name,
      pipeline: await compileRepack(this.#gpu, recipe),
      uniform: this.#uploader.uniform,
      bindings: recipe.bindings(this.#held),
      itemsPerRow: recipe.itemsPerRow,
    };
    repackRows(this.#gpu, kernel, this.#target, { first: 0, end: this.#module.rows, inSource: 0 }, { first: 0, count: this.#target.matrix.paddedColumns / 32 });
    this.#gpu.free(...this.#held.values());
    this.#held.clear();
  }
}

/** Collects a tensor's bytes on the CPU until all have come. */
export class WholeTensor implements TensorConsumer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #whenWhole: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  #filledBytes = 0;

  constructor(entry: TensorEntry, whenWhole: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#bytes = new Uint8Array(entry.end - entry.begin);
    this.#whenWhole = whenWhole;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes.set(bytes, this.#filledBytes);
    this.#filledBytes += bytes.byteLength;
  }

  async end(): Promise<void> {
    await this.#whenWhole(this.#bytes);
  }
}
