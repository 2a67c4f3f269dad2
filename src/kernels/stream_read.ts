import { prepareDispatch, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import streamReadShader from "../../shaders/stream_read.wgsl?raw";

const WORKGROUP_BYTES = 256 * 8 * 16; // eight loads of sixteen bytes a thread

/** Prepare plain reads of `byteLength` bytes each, one after another through a buffer; `marks` holds 4 bytes or more. */
export async function streamReads(gpu: Gpu, source: GPUBuffer, byteLength: number, marks: GPUBuffer): Promise<Dispatch[]> {
  const size = Math.floor(byteLength / 256) * 256; // what offsets are multiples of
  const pipeline = await gpu.compile("stream_read", assembleShader([streamReadShader], { QUADS: size / 16 }));
  return Array.from({ length: Math.floor(source.size / size) }, (_, i) => (
    prepareDispatch(gpu.device, "stream_read", pipeline, { 0: { buffer: source, offset: i * size, size }, 1: marks }, [Math.ceil(size / WORKGROUP_BYTES), 1, 1])
  ));
}
