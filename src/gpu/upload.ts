import type { Gpu } from "./gpu.ts";

const STAGING_BYTES = 16 * 2 ** 20; // two stored chunks; a row of any weight fits
// Waiting this often bounds what the browser's GPU process holds of uploads under way (88 to 113 MiB beside a model of 512,
// 133 to 144 by windows twice as long); and for the window before this one, so that reading the next bytes overlaps the
// GPU's work on these.
const WINDOW_BYTES = 8 * 2 ** 20;
const PART_BYTES = 2 ** 20; // Chromium takes these at 2.4 GB/s, and eight of them in one call at 1.1

/** Moves bytes of any length and alignment into a staging buffer that a repack kernel reads. */
export class Uploader {
  readonly staging: GPUBuffer;
  /** What the kernel is told of them: one for all, because making a buffer waits for everything that was written before. */
  readonly uniform: GPUBuffer;
  readonly #gpu: Gpu;
  #stagedBytes = 0;
  readonly #lastWord = new Uint8Array(4); // of what is staged: written when it is whole
  #windowBytes = 0;
  #windowBefore: Promise<void> | undefined;

  private constructor(gpu: Gpu, staging: GPUBuffer, uniform: GPUBuffer) {
    this.#gpu = gpu;
    this.staging = staging;
    this.uniform = uniform;
  }

  /** Make an uploader with one staging buffer, and a uniform of 32 bytes. */
  static async create(gpu: Gpu): Promise<Uploader> {
    const staging = await gpu.allocate("upload staging", STAGING_BYTES, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    return new Uploader(gpu, staging, await gpu.allocate("upload uniform", 32, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST));
  }

  /** How many bytes can be staged before they are consumed. */
  get capacity(): number {
    return STAGING_BYTES;
  }

  /** Copy bytes into the staging buffer, behind those that were staged before. */
  stage(bytes: Uint8Array<ArrayBuffer>): void {
    const { queue } = this.#gpu.device;
    const missing = Math.min(-this.#stagedBytes & 3, bytes.byteLength); // of the last word
    this.#lastWord.set(bytes.subarray(0, missing), this.#stagedBytes & 3);
    this.#stagedBytes += missing;
    if (missing > 0 && (this.#stagedBytes & 3) === 0) queue.writeBuffer(this.staging, this.#stagedBytes - 4, this.#lastWord);
    const end = bytes.byteLength - ((bytes.byteLength - missing) & 3);
    writeParts(queue, this.staging, this.#stagedBytes, bytes.subarray(missing, end));
    this.#lastWord.set(bytes.subarray(end));
    this.#stagedBytes += bytes.byteLength - missing;
  }

  /** Run `work`, which records and submits what reads the staged bytes, and begin to stage anew. */
  async consume(work: () => void): Promise<void> {
    const word = this.#stagedBytes & ~3;
    if (word < this.#stagedBytes) this.#gpu.device.queue.writeBuffer(this.staging, word, this.#lastWord);
    this.#windowBytes += this.#stagedBytes;
    this.#stagedBytes = 0;
    work();
    this.#gpu.throwIfFaulty();
    if (this.#windowBytes < WINDOW_BYTES) return;
    this.#windowBytes = 0;
    const before = this.#windowBefore;
    this.#windowBefore = this.#gpu.idle();
    this.#windowBefore.catch(() => {}); // awaited with the next window, if there is one
    await before;
  }

  /** Free both buffers. */
  destroy(): void {
    this.#gpu.free(this.staging, this.uniform);
  }
}

/** Write bytes to the start of a buffer; a length that is no multiple of four is padded, as WebGPU asks. */
export function writeBytes({ queue }: GPUDevice, buffer: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void {
  const whole = bytes.byteLength & ~3;
  writeParts(queue, buffer, 0, bytes.subarray(0, whole));
  if (whole === bytes.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  queue.writeBuffer(buffer, whole, tail);
}

function writeParts(queue: GPUQueue, buffer: GPUBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
  for (let begin = 0; begin < bytes.byteLength; begin += PART_BYTES) {
    queue.writeBuffer(buffer, offset + begin, bytes, begin, Math.min(PART_BYTES, bytes.byteLength - begin));
  }
}
