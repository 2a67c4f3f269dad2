// Runs in a page: adapters that are not there, that refuse, and that offer no more than WebGPU's minimum.
import { Engine } from "../../src/engine/engine.ts";
import { HearthError } from "../../src/errors.ts";
import { Gpu, type GpuOptions } from "../../src/gpu/gpu.ts";
import { startText } from "../support/text_on_page.ts";

/** How opening a GPU ended. */
export interface Opening {
  code: string;
  message: string;
  ms: number;
}

async function open(options?: GpuOptions): Promise<Opening> {
  const started = performance.now();
  const outcome = await Gpu.open(options).then((gpu) => (gpu.destroy(), undefined), (error: unknown) => error);
  const ms = performance.now() - started;
  if (outcome === undefined) return { code: "opened", message: "", ms };
  return { code: outcome instanceof HearthError ? outcome.code : "no HearthError", message: String((outcome as Error).message), ms };
}

/** Replace properties while `work` runs. */
async function replacing<T>(target: object, values: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(values).map((key) => [key, Object.getOwnPropertyDescriptor(target, key)] as const);
  for (const [key, value] of Object.entries(values)) Object.defineProperty(target, key, { value, configurable: true, writable: true });
  try {
    return await work();
  } finally {
    for (const [key, descriptor] of before) {
      delete (target as Record<string, unknown>)[key]; // what was inherited shows again
      if (descriptor) Object.defineProperty(target, key, descriptor);
    }
  }
}

/** A `requestAdapter` that answers null at first, as while a browser replaces its GPU process. */
function adapterAfter(ms: number) {
  const { requestAdapter } = GPU.prototype;
  const started = performance.now();
  return async function (this: GPU, options?: GPURequestAdapterOptions) {
    return performance.now() - started < ms ? null : requestAdapter.call(this, options);
  };
}

/** Open a GPU where something is missing, each in turn; a model is checked with `countsOnly`, and loaded without. */
export async function openUnsupported(): Promise<Record<string, Opening>> {
  const realTimeout = globalThis.setTimeout;
  const hastily = (callback: () => void, milliseconds = 0) => realTimeout(callback, milliseconds / 50);
  return {
    "no WebGPU": await replacing(navigator, { gpu: undefined }, open),
    "insecure page": await replacing(globalThis, { isSecureContext: false }, () => replacing(navigator, { gpu: undefined }, () => open())),
    "no adapter, asked by a load": await replacing(GPU.prototype, { requestAdapter: async () => null }, open),
    "no adapter": await replacing(GPU.prototype, { requestAdapter: async () => null }, () => open({ countsOnly: true })),
    "no adapter for 237 ms": await replacing(GPU.prototype, { requestAdapter: adapterAfter(237) }, () => open({ countsOnly: true })),
    "adapter never answers": await replacing(GPU.prototype, { requestAdapter: () => new Promise(() => {}) }, () => replacing(globalThis, { setTimeout: hastily }, open)),
    "device refused": await replacing(GPUAdapter.prototype, { requestDevice: () => Promise.reject(new DOMException("blocked", "OperationError")) }, open),
    "no optional feature": await replacing(GPUAdapter.prototype, { features: new Set() }, open),
    "as it is": await open(),
  };
}

const TOKEN_IDS = Array.from({ length: 24 }, (_, i) => (i * 7919 + 13) % 7000);

/**
 * Compute logits on the adapter as it is, and on one that gives nothing beyond WebGPU's defaults and shows shaders only
 * `bindingBytes` at once, so that tensors lie in parts; the largest difference, relative to the spread of the logits.
 */
export async function minimumLimits(bindingBytes: number) {
  const logits = async () => {
    const engine = await Engine.load("/models/hearth-tiny/", { contextLength: 64 }, { baseUrl: location.href, startText });
    try {
      return { values: await engine.logits(TOKEN_IDS), features: engine.info.adapter.features };
    } finally {
      await engine.unload();
    }
  };
  const usual = await logits();
  const { requestDevice } = GPUAdapter.prototype;
  let largestBuffer = 0;
  const { createBuffer } = GPUDevice.prototype;
  const stubs = {
    requestDevice(this: GPUAdapter) {
      return requestDevice.call(this, {});
    },
  };
  const devices = {
    createBuffer(this: GPUDevice, descriptor: GPUBufferDescriptor) {
      const holdsWeights = descriptor.usage & GPUBufferUsage.STORAGE && !/staging|logits/.test(descriptor.label ?? "");
      if (holdsWeights) largestBuffer = Math.max(largestBuffer, descriptor.size);
      return createBuffer.call(this, descriptor);
    },
  };
  const limits = Object.getOwnPropertyDescriptor(GPUSupportedLimits.prototype, "maxStorageBufferBindingSize")!; // every browser with WebGPU has it
  Object.defineProperty(GPUSupportedLimits.prototype, "maxStorageBufferBindingSize", { get: () => bindingBytes, configurable: true });
  try {
    const least = await replacing(GPUAdapter.prototype, stubs, () => replacing(GPUDevice.prototype, devices, logits));
    const spread = Math.sqrt(usual.values.reduce((sum, value) => sum + value * value, 0) / usual.values.length);
    const difference = usual.values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - least.values[i])), 0) / spread;
    return { difference, features: least.features, largestBuffer };
  } finally {
    Object.defineProperty(GPUSupportedLimits.prototype, "maxStorageBufferBindingSize", limits);
  }
}
