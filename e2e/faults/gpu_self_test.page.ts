// Runs in a page: the self-test of a load, on a GPU whose compiler makes something else of one kernel.
import { createTestedRunner, pathDifference } from "../../src/engine/self_test.ts";
import { HearthError } from "../../src/errors.ts";
import { loadWeights } from "../../src/engine/load_weights.ts";
import { Runner } from "../../src/engine/runner.ts";
import { parseModelConfig } from "../../src/formats/model_config.ts";
import { readWeightMap } from "../../src/formats/shard_index.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { createRopeTables } from "../../src/kernels/decoder_weights.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import type { Decoder } from "../../src/kernels/layer_steps.ts";
import type { Schedule } from "../../src/kernels/schedule.ts";
import { decoderSpec } from "../../src/models/registry.ts";
import { pickedCheckpoint } from "../../src/storage/picked_files.ts";
import { FORMAT_CASES } from "../formats/format_cases.ts";
import { TINY_CONFIG, tinyCheckpoints } from "../formats/tiny_model.ts";
import { testedSchedules, withGpu } from "../kernels/kernel_runs.ts";
import { randomValues } from "../kernels/random_values.ts";

const CONTEXT = 64;

/** A change of a kernel's text that a faulty compiler might amount to. */
export interface Sabotage {
  kernel: string;
  from: string;
  to: string;
}

/** Run `work` on a GPU whose compiler changes kernels; tells how many it changed. */
async function withSabotage<T>({ kernel, from, to, onlyWith = "" }: Sabotage & { onlyWith?: string }, work: () => Promise<T>): Promise<{ result: T; changed: number }> {
  const { createShaderModule } = GPUDevice.prototype;
  let changed = 0;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const { label = "", code } = descriptor;
    if (!label.includes(kernel) || !code.includes(from) || !code.includes(onlyWith)) return createShaderModule.call(this, descriptor);
    changed++;
    return createShaderModule.call(this, { ...descriptor, code: code.replace(from, to) });
  };
  try {
    return { result: await work(), changed };
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
}

/** Put the tiny model on a new device, where no kernel is compiled yet. */
export async function withDecoder<T>(work: (gpu: Gpu, decoder: Decoder, processor: Schedule) => Promise<T>): Promise<T> {
  return withGpu({}, async (gpu) => {
    const files = await readWeightMap(pickedCheckpoint(tinyCheckpoints(FORMAT_CASES[0], randomValues(7)).plain));
    const planned = decoderSpec(parseModelConfig(JSON.stringify(TINY_CONFIG)), CONTEXT);
    const { spec, weights, filled } = await loadWeights(gpu, planned, files, { quantization: undefined });
    await filled;
    const ropes = await createRopeTables(gpu, spec, CONTEXT);
    const cache = await createKvCache(gpu, spec, "f16", CONTEXT, 1);
    return work(gpu, { spec, weights, ropes, cache }, testedSchedules(gpu).processor);
  });
}

/** Measure how far the paths are apart on a sound GPU, and with each of these kernels changed. */
export async function pathDifferences(sabotages: readonly Sabotage[]) {
  const measure = () => withDecoder(async (gpu, decoder, schedule) => pathDifference(await Runner.create(gpu, { ...schedule, prefillRows: 320 }, decoder, CONTEXT), CONTEXT));
  const sound = await measure();
  const changed: { kernel: string; difference: number; changed: number }[] = [];
  for (const sabotage of sabotages) {
    const { result, changed: count } = await withSabotage(sabotage, measure);
    changed.push({ kernel: sabotage.kernel, difference: result, changed: count });
  }
  return { sound, changed };
}

/** Load with two schedules of which the first, or every one, is changed; tells the rows of the schedule that was chosen. */
export async function fallBack(sabotage: Sabotage) {
  const load = () =>
    withDecoder(async (gpu, decoder, processor) => {
      const schedules = [{ ...processor, workgroup: 32, prefillRows: 128 }, processor];
      return (await createTestedRunner(gpu, schedules, decoder, CONTEXT, Promise.resolve())).prefillRows;
    });
  const { result: rows } = await withSabotage({ ...sabotage, onlyWith: "const WORKGROUP = 32u" }, load);
  const { result: failure } = await withSabotage(sabotage, () => load().catch((error: unknown) => (error instanceof HearthError ? `${error.code}: ${error.message}` : String(error))));
  return { rows, failure };
}
