import { HearthError, type HearthErrorCode } from "../errors.ts";
import { requestAdapter, requestDevice } from "./adapter.ts";

/** What kernels may rely on, by what the adapter reports; its vendor counts only where nothing else tells what is fast. */
export interface GpuTraits {
  /** Smallest and largest subgroup, or undefined where subgroups are missing. */
  subgroups: { min: number; max: number } | undefined;
  /** A processor that plays a GPU: barriers cost much, and one thread per row is fastest. */
  isSoftware: boolean;
  /** Threads of a workgroup, at most. */
  mostThreads: number;
  /** Four products of bytes and their sum are one instruction: `dot4I8Packed` is faster than what it replaces. */
  integerDots: boolean;
  /** Shaders compute with half floats. */
  halves: boolean;
  /** Subgroups of 32 lanes multiply matrices of 16 by 16 half floats and add up in f32. */
  halfMatrices: boolean;
  /** They multiply matrices of 16 by 32 bytes with others of 32 by 16, and add up in i32. */
  byteMatrices: boolean;
}

/** What is left of an adapter's traits when nothing is taken on trust but what kind of machine it is. */
export function plainTraits({ isSoftware, mostThreads }: GpuTraits): GpuTraits {
  return { subgroups: undefined, isSoftware, mostThreads, integerDots: false, halves: false, halfMatrices: false, byteMatrices: false };
}

/** How to open a device. */
export interface GpuOptions {
  /** Use WebGPU's default limits even where the adapter offers more: for tests of what runs everywhere. */
  defaultLimits?: boolean;
  /** Count what is allocated, but make large buffers as stubs: to learn what a model takes before it is there. Nothing can run. */
  countsOnly?: boolean;
}

const LARGEST_REAL_BYTES = 4 * 2 ** 20; // vectors are written as soon as they are allocated, so that those have to be there
// Browsers tell of a loss a little after the calls that it made fail. The wait is cut into turns, so that it does not run
// out while the thread, or the machine, is too busy to hear of anything.
const LOSS_NOTICE_TURNS = 10;
const LOSS_NOTICE_TURN_MS = 100;
const MAY_BE_A_LOSS: ReadonlySet<HearthErrorCode> = new Set(["gpu", "device-lost"]);

/** An open WebGPU device with its buffers and compiled pipelines. Owns the device: `destroy` frees everything made from it. */
export class Gpu {
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo;
  readonly traits: GpuTraits;
  readonly #largestReal: number;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #buffers = new Map<GPUBuffer, number>(); // and the bytes asked for
  #allocatedBytes = 0;
  #peakBytes = 0;
  readonly #waiting = new Set<(reason: unknown) => void>(); // rejects what waits for the device
  #fault: HearthError | undefined;
  #loss: HearthError | undefined;
  #isDestroyed = false;

  private constructor(device: GPUDevice, adapterInfo: GPUAdapterInfo, traits: GpuTraits, { countsOnly }: GpuOptions) {
    this.#largestReal = countsOnly ? LARGEST_REAL_BYTES : Infinity;
    this.device = device;
    this.adapterInfo = adapterInfo;
    this.traits = traits;
    device.addEventListener("uncapturederror", ({ error }) => {
      if (this.#fault) return; // it follows from the first one
      const code = error instanceof GPUOutOfMemoryError ? "out-of-memory" : "gpu";
      this.#fault = new HearthError(code, `The GPU reported an error: ${error.message}. What was computed since then cannot be trusted; ask again.`);
      void this.#print(this.#fault);
    });
    void device.lost.then(({ reason, message }) => {
      const loss = new HearthError("device-lost", `The GPU device was lost (${reason || "unknown"}): ${message || "the browser gave no reason"}. Ask again, or load the model again.`);
      this.#loss = loss;
      if (!this.#isDestroyed) this.#fault = loss; // it explains whatever error came with it
      for (const reject of this.#waiting) reject(loss);
    });
  }

  /** Open the fastest adapter, with its own limits and the features that Hearth can use. */
  static async open(options: GpuOptions = {}): Promise<Gpu> {
    const adapter = await requestAdapter(options.countsOnly ? "check" : "load");
    const info = adapter.info;
    const has = (feature: string) => adapter.features.has(feature);
    const useSubgroups = has("subgroups") && info.subgroupMinSize > 0;
    const requiredFeatures = ["shader-f16", "subgroups", "timestamp-query", SUBGROUP_MATRIX].filter(has) as GPUFeatureName[]; // names checked against the adapter's own set
    const device = await requestDevice(adapter, {
      label: "hearth",
      requiredFeatures,
      requiredLimits: options.defaultLimits ? {} : wantedLimits(adapter.limits),
    });
    return new Gpu(device, info, {
      subgroups: useSubgroups ? { min: info.subgroupMinSize, max: info.subgroupMaxSize } : undefined,
      isSoftware: isSoftware(adapter),
      mostThreads: Math.min(device.limits.maxComputeInvocationsPerWorkgroup, device.limits.maxComputeWorkgroupSizeX),
      integerDots: hasIntegerDots(info.vendor),
      halves: device.features.has("shader-f16"),
      halfMatrices: useSubgroups && device.features.has("shader-f16") && hasMatrices(device, info, HALF_MATRICES),
      byteMatrices: useSubgroups && hasMatrices(device, info, BYTE_MATRICES),
    }, options);
  }

  /** The largest buffer that one binding can show a shader. */
  get maxBindingBytes(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    // Whole pages of 256 bytes keep every part's offset aligned.
    return Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 256) * 256;
  }

  /** Bytes of all buffers that are allocated and not freed. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** The most that were allocated at once, since this was asked last. */
  takePeakBytes(): number {
    const peak = this.#peakBytes;
    this.#peakBytes = this.#allocatedBytes;
    return peak;
  }

  /** What the device reported since it was opened, if anything. */
  get fault(): HearthError | undefined {
    return this.#fault;
  }

  /** Throw what the device reported since it was opened: results after a fault cannot be trusted. */
  throwIfFaulty(): void {
    if (this.#fault) throw this.#fault;
  }

  /** The reason for a failed call: what the device reports, if it does so within a moment, else the failure itself. */
  async explain(failure: unknown): Promise<unknown> {
    if (failure instanceof HearthError && !MAY_BE_A_LOSS.has(failure.code)) return failure;
    for (let turn = 0; turn < LOSS_NOTICE_TURNS && !this.#loss; turn++) {
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NOTICE_TURN_MS))]);
    }
    return this.#fault ?? failure;
  }

  /** Print an error that no call may live to report; those that only follow from a loss are not worth a line. */
  async #print(fault: HearthError): Promise<void> {
    if ((await this.explain(fault)) === fault) console.error(`Hearth: uncaptured error: ${fault.message}`);
  }

  /** Settle like a promise that the device gave, or reject once the device is lost: some browsers leave theirs pending then. */
  untilLost<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#loss) reject(this.#loss);
      this.#waiting.add(reject);
      const done = () => this.#waiting.delete(reject);
      promise.then((value) => (done(), resolve(value)), (error: unknown) => (done(), reject(error)));
    });
  }

  /** Allocate a zeroed buffer. Throws `out-of-memory` when the GPU cannot. */
  async allocate(label: string, byteLength: number, usage: GPUBufferUsageFlags): Promise<GPUBuffer> {
    this.#throwIfClosed();
    const size = Math.max(16, Math.ceil(byteLength / 16) * 16);
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    const buffer = this.device.createBuffer({ label, size: size > this.#largestReal ? 16 : size, usage });
    this.#buffers.set(buffer, size);
    this.#allocatedBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#allocatedBytes);
    const [invalid, tooLittle] = await this.untilLost(Promise.all([this.device.popErrorScope(), this.device.popErrorScope()]));
    this.#throwIfClosed();
    const error = tooLittle ?? invalid;
    if (!error) return buffer;
    this.free(buffer);
    this.throwIfFaulty(); // a lost device allocates nothing
    if (!tooLittle && byteLength <= this.device.limits.maxBufferSize) throw new HearthError("gpu", `${label}: the GPU refused a buffer of ${byteLength} bytes: ${error.message}`);
    const mebibytes = (byteLength / 2 ** 20).toFixed(1);
    throw new HearthError("out-of-memory", `${label}: the GPU could not allocate ${mebibytes} MiB (${error.message}). Close other tabs, or pick a smaller model or context.`, {
      details: { askedBytes: byteLength, allocatedBytes: this.allocatedBytes },
    });
  }

  /** Free buffers that `allocate` made; work that was submitted keeps what it needs. */
  free(...buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      this.#allocatedBytes -= this.#buffers.get(buffer) ?? 0;
      this.#buffers.delete(buffer);
      buffer.destroy();
    }
  }

  /** Compile a kernel, or return it when the same text was compiled before. */
  compile(label: string, code: string): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code);
    if (known) return known;
    const pipeline = this.#compile(label, code);
    this.#pipelines.set(code, pipeline);
    return pipeline;
  }

  async #compile(label: string, code: string): Promise<GPUComputePipeline> {
    this.#throwIfClosed();
    this.device.pushErrorScope("validation"); // the pipeline's error below tells more
    const module = this.device.createShaderModule({ label, code });
    this.device.popErrorScope().catch(() => {}); // a lost device may refuse
    try {
      const pipeline = await this.untilLost(this.device.createComputePipelineAsync({ label, layout: "auto", compute: { module, entryPoint: "main" } }));
      this.#throwIfClosed(); // Firefox resolves to a pipeline that is none
      return pipeline;
    } catch (cause) {
      this.throwIfFaulty();
      this.#throwIfClosed();
      const { messages } = await module.getCompilationInfo();
      const notes = messages.map(({ lineNum, message }) => `  line ${lineNum}: ${message}`).join("\n");
      throw new HearthError("gpu", `Kernel ${label} does not compile on this device:\n${notes || String(cause)}`, { cause });
    }
  }

  /** A load that failed may still be preparing kernels when its device is gone. */
  #throwIfClosed(): void {
    if (this.#isDestroyed) throw new HearthError("device-lost", "The GPU device was closed while a model was being prepared on it.");
  }

  /** Run work whose errors are its own: they reject it, and are no fault of the device. Nothing else may use the device meanwhile. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    const filters = ["validation", "out-of-memory", "internal"] as const;
    for (const filter of filters) this.device.pushErrorScope(filter);
    const outcome = await Promise.allSettled([work()]);
    const errors = await this.untilLost(Promise.all(filters.map(() => this.device.popErrorScope())));
    const error = errors.find((each) => each !== null);
    if (error) throw new HearthError("gpu", `The GPU reported an error: ${error.message}`);
    const [result] = outcome;
    if (result.status === "rejected") throw result.reason;
    return result.value;
  }

  /** Wait until everything submitted so far has run. */
  async idle(): Promise<void> {
    await this.untilLost(this.device.queue.onSubmittedWorkDone());
  }

  /** Free the device and all that was made from it. */
  destroy(): void {
    this.#isDestroyed = true;
    this.free(...this.#buffers.keys());
    this.device.queue.submit([]); // browsers give a destroyed buffer's memory back at the next submit, and not before
    this.device.destroy();
  }
}

/** The limits that decide which models fit, and which kernels; each is the adapter's own. */
function wantedLimits(limits: GPUSupportedLimits): Record<string, number> {
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = limits;
  return { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX };
}

/** Software adapters say so, or give themselves away by subgroups as narrow as a processor's vectors. */
function isSoftware(adapter: GPUAdapter): boolean {
  const { isFallbackAdapter, subgroupMaxSize } = adapter.info;
  return isFallbackAdapter || (subgroupMaxSize > 0 && subgroupMaxSize <= 8);
}

const INTEGER_DOT_VENDORS: ReadonlySet<string> = new Set(["nvidia", "amd", "intel", "qualcomm"]);

/**
 * Browsers offer `dot4I8Packed` everywhere and spell it out where the hardware lacks it, as Apple's does, which is slower
 * than floats. Nothing but the vendor tells; its results are the same either way.
 */
function hasIntegerDots(vendor: string): boolean {
  return navigator.gpu.wgslLanguageFeatures.has("packed_4x8_integer_dot_product") && INTEGER_DOT_VENDORS.has(vendor);
}

/** Chromium's name for what WebGPU has no word for yet: offered behind a flag. */
const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix";

interface SubgroupMatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

/** Matrices that a kernel multiplies, and the workgroup memory that it takes. */
interface MatrixUse {
  config: SubgroupMatrixConfig;
  tileBytes: number;
}

const HALF_MATRICES: MatrixUse = { config: { componentType: "f16", resultComponentType: "f32", M: 16, N: 16, K: 16 }, tileBytes: 22_528 }; // of matmul_halves.wgsl
const BYTE_MATRICES: MatrixUse = { config: { componentType: "i8", resultComponentType: "i32", M: 16, N: 16, K: 32 }, tileBytes: 30_976 }; // of matmul_planes.wgsl

/** Whether a kernel for such matrices in subgroups of 32 runs, which is what NVIDIA's units take, and AMD's of half floats. */
function hasMatrices({ features, limits }: GPUDevice, info: GPUAdapterInfo, { config, tileBytes }: MatrixUse): boolean {
  const { subgroupMatrixConfigs = [] } = info as GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> }; // unknown to the types
  const keys = ["componentType", "resultComponentType", "M", "N", "K"] as const;
  return features.has(SUBGROUP_MATRIX) && [...subgroupMatrixConfigs].some((offered) => keys.every((key) => offered[key] === config[key]))
    && info.subgroupMinSize === 32 && info.subgroupMaxSize === 32 && navigator.gpu.wgslLanguageFeatures.has("subgroup_id")
    && limits.maxComputeWorkgroupStorageSize >= tileBytes;
}
