import { HearthError } from "../errors.ts";

const CALL_MS = 5000; // a driver that hangs leaves these calls pending for ever; a healthy one answers in far less
// A browser that replaces its GPU process may answer null for a moment, measured at 78 to 237 ms. Whoever only asks is told
// within 300 ms; a load waits for a second in all, because a wrong no costs it the model.
const PAUSES_MS = { check: [40, 80, 125], load: [100, 200, 300, 400] };

/** For what an adapter is wanted: only to be told of it, or to load a model. */
export type AdapterUse = keyof typeof PAUSES_MS;

/** Ask the browser for its fastest adapter. Throws `no-webgpu` with a way out when there is none. */
export async function requestAdapter(use: AdapterUse): Promise<GPUAdapter> {
  const webgpu = globalThis.navigator?.gpu as GPU | undefined; // absent without WebGPU, whatever the types say
  if (!webgpu) throw new HearthError("no-webgpu", globalThis.isSecureContext === false ? INSECURE : NO_WEBGPU);
  const pauses = [...PAUSES_MS[use]];
  for (;;) {
    const adapter = await timeBoxed("a graphics adapter", webgpu.requestAdapter({ powerPreference: "high-performance" }));
    if (adapter) return adapter;
    const pause = pauses.shift();
    if (pause === undefined) throw new HearthError("no-webgpu", NO_ADAPTER);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Open an adapter's device. Throws `no-webgpu` when the browser refuses it. */
export async function requestDevice(adapter: GPUAdapter, descriptor: GPUDeviceDescriptor): Promise<GPUDevice> {
  try {
    return await timeBoxed("a graphics device", adapter.requestDevice(descriptor));
  } catch (cause) {
    if (cause instanceof HearthError) throw cause;
    throw new HearthError("no-webgpu", `The browser found a graphics adapter but could not open it (${String(cause)}). Restart the browser, or update the graphics driver.`, { cause });
  }
}

const NO_WEBGPU = "This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox.";
const INSECURE = "This page is not secure, and browsers offer WebGPU to secure pages only. Serve it over https, or on localhost.";
const NO_ADAPTER = "This browser found no GPU adapter that it may use. Restart it if its graphics process has just crashed; else update the graphics driver, or check the browser's GPU settings.";

async function timeBoxed<T>(wanted: string, call: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The browser was asked for ${wanted} and did not answer within ${CALL_MS / 1000} seconds. Restart it, or update the graphics driver.`;
    timer = setTimeout(() => reject(new HearthError("no-webgpu", message)), CALL_MS);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
