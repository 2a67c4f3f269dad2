// Runs in a page: the tuning of a load, on a software GPU that is measured for once, with a compiler that slows or spoils some kernels.
import { loadModel } from "../../src/engine/load_model.ts";
import { Tuning } from "../../src/engine/tuning.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { timePasses } from "../../src/gpu/pass_times.ts";
import type { Decoder } from "../../src/kernels/layer_steps.ts";
import { openKeptResults, type KeptResults } from "../../src/storage/kept_results.ts";
import { FORMAT_CASES } from "../formats/format_cases.ts";
import { tinyCheckpoints } from "../formats/tiny_model.ts";
import { randomValues } from "../kernels/random_values.ts";
import { withDecoder } from "./gpu_self_test.page.ts";

const CONTEXT = 64;
const UNLIMITED_MS = 60_000;

const SLOW = "var squares: array<f32, M>;\n  var spin = f32(lane);\n  for (var i = 0u; i < 20000u; i++) { spin = fract(spin * 1.7 + 0.3); }\n  sums[0] = min(spin, 0.0);";

/** Of the cuts of a processor, those of eight threads compute wrongly, and all are slow but these and the one of 32 rows. */
function sabotaged(label: string, code: string): string {
  if (!label.startsWith("matmul_vec")) return code;
  if (code.includes("const WORKGROUP = 8u")) return code.replace("block < K / 32u", "block < K / 32u - 1u");
  return code.includes("const ROWS = 32u") ? code : code.replace("var squares: array<f32, M>;", SLOW);
}

/** Run `work` with that compiler; tells how often the tuner checked and timed, and calls `onEncoder` for each. */
async function watched<T>(work: () => Promise<T>, onEncoder: (device: GPUDevice, label: string) => void = () => {}): Promise<{ result: T; checks: number; timings: number }> {
  const { createShaderModule, createCommandEncoder } = GPUDevice.prototype;
  const counts = { checks: 0, timings: 0 };
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    return createShaderModule.call(this, { ...descriptor, code: sabotaged(descriptor.label ?? "", descriptor.code) });
  };
  GPUDevice.prototype.createCommandEncoder = function (descriptor) {
    if (descriptor?.label === "tune check") counts.checks++;
    if (descriptor?.label === "tune") counts.timings++;
    onEncoder(this, descriptor?.label ?? "");
    return createCommandEncoder.call(this, descriptor);
  };
  try {
    return { result: await work(), ...counts };
  } finally {
    Object.assign(GPUDevice.prototype, { createShaderModule, createCommandEncoder });
  }
}

async function tune(gpu: Gpu, decoder: Decoder, kept: KeptResults | undefined, budgetMs = UNLIMITED_MS) {
  const tuning = new Tuning({ tunes: () => true, kept, budgetMs, inputBits: 16 });
  const runner = await tuning.createRunner(gpu, decoder, CONTEXT, Promise.resolve());
  return { choice: tuning.choice, runs: runner.schedule.rowsPerThread };
}

/** Choose on one device, then on another with what was kept, then on one where there is no time. */
export async function chooseAndKeep() {
  const kept = openKeptResults("tuning");
  const first = await watched(() => withDecoder((gpu, decoder) => tune(gpu, decoder, kept)));
  const second = await watched(() => withDecoder((gpu, decoder) => tune(gpu, decoder, kept)));
  const hurried = await watched(() => withDecoder((gpu, decoder) => tune(gpu, decoder, undefined, 0)));
  return { first, second, hurried };
}

/** Load a model whose device is lost afterwards. */
export async function loseTunedDevice() {
  const files = tinyCheckpoints(FORMAT_CASES[0], randomValues(7)).plain;
  const hooks = { baseUrl: location.href, startText: () => Promise.reject(new Error("the tiny model has no text")), tuning: { tunes: () => true, budgetMs: UNLIMITED_MS } };
  const { result: model, timings } = await watched(() => loadModel(files, {}, hooks));
  const { gpu } = await model.device.part();
  const before = { origin: model.tuning.choice.origin, timings };
  gpu.device.destroy();
  await gpu.device.lost;
  const { timings: again } = await watched(() => model.device.part());
  const after = { origin: model.tuning.choice.origin, timings: again };
  model.device.destroy();
  return { before, after };
}

/** Tune on a device that refuses a call of the tuner's, then use that device. */
export async function failToTune() {
  const refuse = (device: GPUDevice, label: string) => {
    if (label === "tune check") device.createBuffer({ label: "injected", size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE }); // usages that exclude each other
  };
  return withDecoder(async (gpu, decoder) => {
    const { result, checks } = await watched(() => tune(gpu, decoder, undefined), refuse);
    await gpu.idle();
    return { ...result, checks, fault: gpu.fault?.message };
  });
}

/** Time a pass of no dispatch and one of many by each clock that this device has. */
export async function clocks() {
  return withDecoder(async (gpu, decoder) => {
    const tuning = new Tuning({ tunes: () => false, kept: undefined, inputBits: 16 });
    const runner = await tuning.createRunner(gpu, decoder, CONTEXT, Promise.resolve());
    const pass = runner.kernelPasses(1, 200).find(({ label }) => label === "matmul_vec up");
    if (!pass) throw new Error("the tiny model has no matmul_vec up");
    const [best, wall] = [await timePasses(gpu, [pass, { ...pass, lists: [] }]), await timePasses(gpu, [pass], "wall")];
    return { hasQueries: gpu.device.features.has("timestamp-query"), best, wall };
  });
}
