// Breaks the GPU of the thread that imports it, on command: loses the device, or makes it report an error, where the
// runtime begins to encode certain work. The runtime itself knows nothing of this.
import { watchBuffers } from "./buffer_faults.ts";

/** What is to happen when the `count`-th command encoder of this label is made; at once when there is no label. */
export interface GpuFault {
  action: "lose" | "error";
  label?: string;
  count?: number;
}

/** What the thread has done so far. */
export interface GpuRecord {
  devicesOpened: number;
  fetches: number;
  /** Buffers made and not destroyed. */
  liveBuffers: number;
  /** Command encoders by label. */
  encoders: Record<string, number>;
}

const devices: GPUDevice[] = [];
const record: GpuRecord = { devicesOpened: 0, fetches: 0, liveBuffers: 0, encoders: {} };
const { live } = watchBuffers();
let armed: GpuFault | undefined;
let clockOffsetMs = 0;

const requestDevice = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  devices.push(device);
  record.devicesOpened++;
  return device;
};

const createCommandEncoder = GPUDevice.prototype.createCommandEncoder;
GPUDevice.prototype.createCommandEncoder = function (descriptor) {
  const label = descriptor?.label ?? "";
  record.encoders[label] = (record.encoders[label] ?? 0) + 1;
  if (armed?.label === label && --armed.count! === 0) breakDevice(this, armed.action); // a fault with a label has a count
  return createCommandEncoder.call(this, descriptor);
};

const realFetch = globalThis.fetch;
globalThis.fetch = (...request) => {
  record.fetches++;
  return realFetch(...request);
};

const now = performance.now.bind(performance);
performance.now = () => now() + clockOffsetMs;

function breakDevice(device: GPUDevice, action: GpuFault["action"]): void {
  armed = undefined;
  if (action === "lose") return device.destroy();
  device.createBuffer({ label: "injected", size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE }); // usages that exclude each other
}

/** Prepare a fault, and forget what was recorded. */
export function armFault(fault: GpuFault): void {
  Object.assign(record, { devicesOpened: 0, fetches: 0, encoders: {} });
  armed = fault.label === undefined ? undefined : { count: 1, ...fault };
  if (fault.label === undefined) breakDevice(devices[devices.length - 1], fault.action);
}

/** What happened since the last fault was prepared. */
export function gpuRecord(): GpuRecord {
  return { ...record, liveBuffers: live.size };
}

/** Let the thread's clock jump ahead. */
export function advanceClock(milliseconds: number): void {
  clockOffsetMs += milliseconds;
}
