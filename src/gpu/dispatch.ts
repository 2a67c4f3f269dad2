/** One prepared step of a plan: what runs, on what, how wide. */
export interface Dispatch {
  label: string;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: readonly [number, number, number];
  /** Bytes that it reads once from where no cache holds them, if it is made to stream. */
  streamedBytes?: number;
}

/**
 * Buffers of a kernel, or parts of them, by binding number; undefined where a variant has no such binding. What several
 * kernels bind has a number of its own: from 8 on a matrix, a cache or a slab, from 10 on the step's rows and the sampling.
 */
export type Bindings = Readonly<Record<number, GPUBuffer | GPUBufferBinding | undefined>>;

/** Prepare a dispatch: its bind group is made here, once, and never while decoding. One group is quicker to set than three. */
export function prepareDispatch(
  device: GPUDevice,
  label: string,
  pipeline: GPUComputePipeline,
  bindings: Bindings,
  workgroups: readonly [number, number, number],
): Dispatch {
  const bindGroup = device.createBindGroup({
    label,
    layout: pipeline.getBindGroupLayout(0),
    entries: Object.entries(bindings).flatMap(([binding, bound]) => (bound ? [{ binding: Number(binding), resource: "buffer" in bound ? bound : { buffer: bound } }] : [])),
  });
  return { label, pipeline, bindGroup, workgroups };
}

/** Record dispatches into a pass, in order. */
export function encodeDispatches(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[]): void {
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroup, workgroups } of dispatches) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
}

/** Record lists of dispatches into one pass, in order, and submit it. */
export function submitDispatches(device: GPUDevice, label: string, ...lists: readonly (readonly Dispatch[])[]): void {
  const encoder = device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label });
  for (const dispatches of lists) encodeDispatches(pass, dispatches);
  pass.end();
  device.queue.submit([encoder.finish()]);
}
