/** One prepared step of a plan: what runs, on what, how wide. */
export interface Dispatch {
  label: string;
  pipeline: GPUComputePipeline;
  bindGroups: readonly GPUBindGroup[];
  workgroups: readonly [number, number, number];
  /** Bytes that it reads once from where no cache holds them, if it is made to stream. */
  streamedBytes?: number;
}

/** Buffers of a bind group, or parts of them, by binding number; undefined where a variant has no such binding. */
export type Bindings = Readonly<Record<number, GPUBuffer | GPUBufferBinding | undefined>>;

/** Prepare a dispatch: bind groups are made here, once, and never while decoding. */
export function prepareDispatch(
  device: GPUDevice,
  label: string,
  pipeline: GPUComputePipeline,
  groups: readonly Bindings[],
  workgroups: readonly [number, number, number],
): Dispatch {
  const bindGroups = groups.map((bindings, group) =>
    device.createBindGroup({
      label: `${label} group ${group}`,
      layout: pipeline.getBindGroupLayout(group),
      entries: Object.entries(bindings).flatMap(([binding, bound]) => (bound ? [{ binding: Number(binding), resource: "buffer" in bound ? bound : { buffer: bound } }] : [])),
    }),
  );
  return { label, pipeline, bindGroups, workgroups };
}

/** Record dispatches into a pass, in order. */
export function encodeDispatches(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[]): void {
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroups, workgroups } of dispatches) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    for (let group = 0; group < bindGroups.length; group++) pass.setBindGroup(group, bindGroups[group]);
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
