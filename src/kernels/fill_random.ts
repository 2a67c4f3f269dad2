import { prepareDispatch, submitDispatches } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import fillRandomShader from "../../shaders/fill_random.wgsl?raw";
import random from "../../shaders/lib/random.wgsl?raw";

/** Fill a buffer with random 4-bit codes, or with the pairs of scale and bias that centre such codes on zero. */
export async function fillRandom(gpu: Gpu, target: GPUBuffer, constants: { WORDS: number; CODES: boolean; SCALE: number }): Promise<void> {
  const pipeline = await gpu.compile("fill_random", assembleShader([random, fillRandomShader], constants));
  const workgroups = [1024, Math.ceil(constants.WORDS / 65_536), 1] as const;
  submitDispatches(gpu.device, "fill", [prepareDispatch(gpu.device, "fill_random", pipeline, { 0: target }, workgroups)]);
}
