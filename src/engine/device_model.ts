import { HearthError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Runner } from "./runner.ts";

/** The part of a loaded model that lives on a GPU, and is lost with its device. */
export interface DevicePart {
  gpu: Gpu;
  runner: Runner;
}

/** Builds the part on a device of its own, from the checkpoint's files. */
export type BuildDevicePart = (signal?: AbortSignal) => Promise<DevicePart>;

const COOL_DOWN_MS = 120_000; // Chromium gives no adapter to any page after two losses within seconds, but does after two minutes
const BACK_OFF_MS = 250; // the browser replaces its GPU process in less

/** A model's part on the GPU, built again when its device was lost: once by itself in two minutes, and whenever a new call asks. */
export class DeviceModel {
  readonly #build: BuildDevicePart;
  readonly #now: () => number;
  #part: DevicePart | undefined;
  #isLost = false;
  #rebuiltAt = -Infinity;

  constructor(build: BuildDevicePart, now: () => number = () => performance.now()) {
    this.#build = build;
    this.#now = now;
  }

  /** The part on a device that works: the one it was built on or, after a fault, a new one. */
  async part(signal?: AbortSignal): Promise<DevicePart> {
    if (this.#part && !this.#part.gpu.fault && !this.#isLost) return this.#part;
    if (this.#part) await this.#leaveDevice(signal);
    try {
      this.#part = await this.#build(signal);
      this.#isLost = false;
    } catch (failure) {
      if (this.#rebuiltAt > -Infinity) throw withoutReplacement(failure);
      await this.forgive(failure); // the first device was lost while the weights moved
      await backOff(signal);
      return this.part(signal);
    }
    return this.#part;
  }

  /** Run a call on the device; one that a loss interrupted runs again from its start. */
  async run<T>(work: (part: DevicePart) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      const part = await this.part(signal);
      try {
        return await work(part);
      } catch (failure) {
        signal?.throwIfAborted();
        await this.forgive(failure);
      }
    }
  }

  /** Return if a failed call may go on with the next `part()`; else throw what made it fail. */
  async forgive(failure: unknown): Promise<void> {
    const reason = this.#part ? await this.#part.gpu.explain(failure) : failure;
    if (!isLoss(reason)) throw reason;
    this.#isLost = true; // also where the browser fails calls without telling of the loss
    if (this.#now() - this.#rebuiltAt >= COOL_DOWN_MS) return this.#noteRebuild();
    throw new HearthError(
      "device-lost",
      "The GPU device was lost twice within two minutes, so Hearth does not go on by itself. Close other pages that use the GPU, then ask again.",
      { cause: reason },
    );
  }

  /** Free the GPU. */
  destroy(): void {
    this.#part?.gpu.destroy();
    this.#part = undefined;
  }

  async #leaveDevice(signal: AbortSignal | undefined): Promise<void> {
    this.#noteRebuild();
    this.#part?.gpu.destroy(); // after an error the device still holds the weights
    await backOff(signal);
  }

  #noteRebuild(): void {
    this.#rebuiltAt = this.#now();
  }
}

async function backOff(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, BACK_OFF_MS));
  signal?.throwIfAborted();
}

function isLoss(reason: unknown): boolean {
  return reason instanceof HearthError && reason.code === "device-lost";
}

/** To someone in the middle of an answer, a browser without an adapter is one that lost it. */
function withoutReplacement(failure: unknown): unknown {
  if (!(failure instanceof HearthError) || failure.code !== "no-webgpu") return failure;
  return new HearthError("device-lost", `The GPU device was lost, and the browser offers no other. Restart the browser, or ask again in two minutes. ${failure.message}`, { cause: failure });
}
