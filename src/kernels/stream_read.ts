import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import streamReadShader from "../../shaders/stream_read.wgsl?raw";

const MOST_WORKGROUPS = 2048; // enough to fill any GPU
const WORKGROUP_BYTES = 256 * 4 * 16; // four loads of sixteen bytes a thread

/** Bytes of `sums` that any streaming read writes. */
export const STREAM_SUMS_BYTES = MOST_WORKGROUPS * 256 * 4;

/** Prepare plain reads of `byteLength` bytes each, one after another through a buffer; `sums` holds `STREAM_SUMS_BYTES`. */
export async function streamReads(gpu: Gpu, source: GPUBuffer, byteLength: number, sums: GPUBuffer): Promise<Dispatch[]> {
  const size = Math.floor(byteLength / 256) * 256; // what offsets are multiples of
  const workgroups = Math.max(1, Math.min(MOST_WORKGROUPS, Math.floor(size / WORKGROUP_BYTES)));
  const pipeline = await gpu.compile("stream_read", assembleShader([streamReadShader], { QUADS: size / 16, WORKGROUPS: workgroups }));
  return Array.from({ length: Math.floor(source.size / size) }, (_, i) => (
    prepareDispatch(gpu.device, "stream_read", pipeline, { 0: { buffer: source, offset: i * size, size }, 1: sums }, [workgroups, 1, 1])
  ));
}
