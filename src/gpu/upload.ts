import type { Gpu } from "./gpu.ts";

const STAGING_BYTES = 16 * 2 ** 20; // two stored chunks; a row of any weight fits
const BYTES_IN_FLIGHT = 32 * 2 ** 20; // waiting this often halves the memory that the browser's GPU process holds

/** Moves bytes of any length and alignment into a staging buffer that a repack kernel reads. */
export class Uploader {
  readonly staging: GPUBuffer;
  readonly #gpu: Gpu;
  #bytesSinceWait = 0;

  private constructor(gpu: Gpu, staging: GPUBuffer) {
    this.#gpu = gpu;
    this.staging = staging;
  }

  /** Make an uploader with one staging buffer. */
  static async create(gpu: Gpu): Promise<Uploader> {
    return new Uploader(gpu, await gpu.allocate("upload staging", STAGING_BYTES, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST));
  }

  /** How many bytes one call of `upload` can take. */
  get capacity(): number {
    return STAGING_BYTES;
  }

  /** Copy bytes to the start of the staging buffer, then run `consume`, which records and submits what reads them. */
  async upload(bytes: Uint8Array<ArrayBuffer>, consume: () => void): Promise<void> {
    writeBytes(this.#gpu.device, this.staging, bytes);
    consume();
    this.#gpu.throwIfFaulty();
    this.#bytesSinceWait += bytes.byteLength;
    if (this.#bytesSinceWait < BYTES_IN_FLIGHT) return;
    this.#bytesSinceWait = 0;
    await this.#gpu.idle();
  }

  /** Free the staging buffer. */
  destroy(): void {
    this.#gpu.free(this.staging);
  }
}

/** Write bytes to the start of a buffer; a length that is no multiple of four is padded, as WebGPU asks. */
export function writeBytes(device: GPUDevice, buffer: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void {
  const whole = bytes.byteLength - (bytes.byteLength % 4);
  if (whole > 0) device.queue.writeBuffer(buffer, 0, bytes, 0, whole);
  if (whole === bytes.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  device.queue.writeBuffer(buffer, whole, tail);
}
