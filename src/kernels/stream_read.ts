import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import streamReadShader from "../../shaders/stream_read.wgsl?raw";

/** Workgroups of a streaming read: enough to fill any GPU. */
export const STREAM_WORKGROUPS = 2048;

/** Prepare a read of a whole buffer; `sums` holds `STREAM_WORKGROUPS * 256` words. */
export async function streamRead(gpu: Gpu, source: GPUBuffer, sums: GPUBuffer): Promise<Dispatch> {
  const code = assembleShader([streamReadShader], { QUADS: Math.floor(source.size / 16), WORKGROUPS: STREAM_WORKGROUPS });
  const pipeline = await gpu.compile("stream_read", code);
  return prepareDispatch(gpu.device, "stream_read", pipeline, [{ 0: source, 1: sums }], [STREAM_WORKGROUPS, 1, 1]);
}
