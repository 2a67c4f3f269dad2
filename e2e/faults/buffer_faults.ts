// Fails one allocation of the GPU of the page that imports it, and counts the buffers that are alive.

/** What has been allocated, and what is to fail. */
export interface BufferFaults {
  /** Buffers made and not destroyed. */
  live: Set<GPUBuffer>;
  /** Calls of createBuffer so far. */
  calls: number;
  /** The call that fails, counted from one. */
  failing: number;
  /** Size of the buffer that failed. */
  failedBytes: number;
}

/** Watch every allocation from here on. */
export function watchBuffers(): BufferFaults {
  const faults: BufferFaults = { live: new Set(), calls: 0, failing: 0, failedBytes: 0 };
  const scopes: { filter: GPUErrorFilter; error: GPUError | undefined }[] = [];
  const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;

  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    faults.live.add(buffer);
    if (++faults.calls !== faults.failing) return buffer;
    faults.failedBytes = descriptor.size;
    const error = new GPUOutOfMemoryError("injected");
    const scope = scopes.findLast(({ filter }) => filter === "out-of-memory");
    if (scope) scope.error = error;
    else this.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    return buffer;
  };
  GPUDevice.prototype.pushErrorScope = function (filter) {
    scopes.push({ filter, error: undefined });
    return pushErrorScope.call(this, filter);
  };
  GPUDevice.prototype.popErrorScope = async function () {
    const injected = scopes.pop()?.error;
    const real = await popErrorScope.call(this);
    return injected ?? real;
  };
  GPUBuffer.prototype.destroy = function () {
    faults.live.delete(this);
    return destroy.call(this);
  };
  return faults;
}
