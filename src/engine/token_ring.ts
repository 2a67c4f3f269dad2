import { RING_TOKENS } from "../kernels/sample.ts";
import { RING_BYTES } from "../kernels/sampler_state.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Runner } from "./runner.ts";

/** Reads sampled tokens several steps behind the GPU, through staging buffers that are made once. */
export class TokenRing {
  readonly #gpu: Gpu;
  readonly #runner: Runner;
  readonly #free: GPUBuffer[];
  readonly #all: readonly GPUBuffer[];
  #delivered: number;

  /** `delivered` tokens of the answer are known already. */
  constructor(gpu: Gpu, runner: Runner, readsInFlight: number, delivered: number) {
    this.#gpu = gpu;
    this.#runner = runner;
    this.#delivered = delivered;
    this.#all = Array.from({ length: readsInFlight }, (_, i) =>
      gpu.device.createBuffer({ label: `token ring staging ${i}`, size: RING_BYTES, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ }),
    );
    this.#free = [...this.#all];
  }

  /** Ask for the tokens sampled by everything submitted so far; resolves to those that no earlier read has delivered. */
  async read(): Promise<number[]> {
    const staging = this.#free.pop();
    if (!staging) throw new Error("more ring reads in flight than staging buffers");
    this.#runner.copyRing(staging);
    await this.#gpu.untilLost(staging.mapAsync(GPUMapMode.READ));
    const ring = new Uint32Array(staging.getMappedRange());
    const count = ring[RING_TOKENS];
    const tokenIds = Array.from({ length: Math.max(0, count - this.#delivered) }, (_, i) => ring[(this.#delivered + i) % RING_TOKENS]);
    this.#delivered = Math.max(this.#delivered, count);
    staging.unmap();
    this.#free.push(staging);
    return tokenIds;
  }

  /** Free the staging buffers; reads still in flight reject. */
  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
  }
}
