import { planWeights, readConfig } from "../../src/engine/load_plan.ts";
import { loadWeights } from "../../src/engine/load_weights.ts";
import type { LoadOptions } from "../../src/engine/options.ts";
import { readQuantization } from "../../src/engine/quantization_files.ts";
import { Runner } from "../../src/engine/runner.ts";
import { parseModelConfig } from "../../src/formats/model_config.ts";
import { readWeightMap } from "../../src/formats/shard_index.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { DecoderSpec } from "../../src/kernels/decoder_spec.ts";
import { createVector, layerMatrices, ropeTable, type DecoderWeights } from "../../src/kernels/decoder_weights.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import { chooseSchedule } from "../../src/kernels/schedule.ts";
import { decoderSpec } from "../../src/models/registry.ts";
import { destroyMatrix, formatKey, type Matrix } from "../../src/quant/matrix.ts";
import type { QuantizedWidth } from "../../src/quant/quantise.ts";
import { pickedCheckpoint } from "../../src/storage/picked_files.ts";
import { withGpu, type Finding } from "../kernels/kernel_runs.ts";
import { randomValues } from "../kernels/random_values.ts";
import { FORMAT_CASES } from "./format_cases.ts";
import { readWeights, worstLogit, worstWeight } from "./read_weights.ts";
import { tinyCheckpoints, VOCABULARY, wideCheckpoint } from "./tiny_model.ts";

const TOKENS = [1, 17, 40, 95, 3];
const CONTEXT = 64;

/** How far logits of a checkpoint are from those of its dequantised weights, relative to their row's standard deviation. */
export interface LogitErrors {
  name: string;
  prefill: number;
  decode: number;
}

/** Load a tiny checkpoint of each format, and one of its dequantised weights, and compare their logits. */
export async function compareLogits(names: readonly string[]): Promise<LogitErrors[]> {
  return withGpu({}, async (gpu) => {
    const errors: LogitErrors[] = [];
    for (const name of names) {
      const format = FORMAT_CASES.find((each) => each.name === name)!; // names come from the same list
      const { stored, plain } = tinyCheckpoints(format, randomValues(7));
      const expected = await (await runnerOf(gpu, plain)).logits(TOKENS);
      const runner = await runnerOf(gpu, stored);
      const prefill = await runner.logits(TOKENS);
      const last = await runner.forward(TOKENS[TOKENS.length - 1], TOKENS.length - 1);
      errors.push({ name, prefill: worstLogit(prefill, expected, VOCABULARY), decode: worstLogit(last, expected.subarray(-last.length), VOCABULARY) });
    }
    return errors;
  });
}

/** Load a tiny checkpoint of every format, and one of its dequantised weights, and compare the matrices that they become. */
export async function compareWeights(): Promise<Finding[]> {
  return withGpu({}, async (gpu) => {
    const findings: Finding[] = [];
    for (const format of FORMAT_CASES) {
      const { stored, plain } = tinyCheckpoints(format, randomValues(7));
      const [own, expected] = [matricesOf((await weightsOf(gpu, stored)).weights), matricesOf((await weightsOf(gpu, plain)).weights)];
      // Side by side, because each reading waits for the GPU.
      const read = (matrices: readonly Matrix[]) => Promise.all(matrices.map((matrix) => readWeights(gpu, matrix)));
      const [found, meant] = await Promise.all([read(own), read(expected)]);
      const errors = found.map((weights, i) => worstWeight(weights, meant[i]));
      findings.push({ name: format.name, error: Math.max(...errors) });
      for (const matrix of [...own, ...expected]) destroyMatrix(matrix);
    }
    return findings;
  });
}

/** The formats of a float checkpoint's matrices, quantised while it loads. */
export async function quantisedFormats(quantize: QuantizedWidth): Promise<string[]> {
  return withGpu({}, async (gpu) => {
    const { plain } = tinyCheckpoints(FORMAT_CASES[0], randomValues(7));
    const { weights } = await weightsOf(gpu, plain, quantize);
    return matricesOf(weights).map(({ parts }) => formatKey(parts[0].format));
  });
}

/** What float checkpoints become by default, a small and a large one, and what the small one becomes when asked for. */
export async function quantizedByDefault(): Promise<string[]> {
  const small = tinyCheckpoints(FORMAT_CASES[0], randomValues(7)).plain;
  const loads: [File[], LoadOptions][] = [[small, {}], [wideCheckpoint(), {}], [small, { quantize: "q4" }]];
  return Promise.all(loads.map(async ([files, options]) => {
    const checkpoint = pickedCheckpoint(files);
    const { quantize } = await planWeights(checkpoint, await readConfig(checkpoint), await readWeightMap(checkpoint), options);
    return quantize ?? "none";
  }));
}

function matricesOf({ embedding, layers }: DecoderWeights): Matrix[] {
  return [embedding, ...layers.flatMap(layerMatrices)];
}

async function weightsOf(gpu: Gpu, files: readonly File[], quantize?: QuantizedWidth): Promise<{ spec: DecoderSpec; weights: DecoderWeights }> {
  const config = parseModelConfig(await files[0].text());
  const spec = decoderSpec(config, CONTEXT);
  const checkpoint = pickedCheckpoint(files);
  const weightFiles = await readWeightMap(checkpoint);
  const loading = await loadWeights(gpu, spec, weightFiles, { quantization: await readQuantization(checkpoint, config, weightFiles), quantize });
  await loading.filled;
  return loading;
}

/** A runner on a device that all share, so that kernels are compiled once. */
async function runnerOf(gpu: Gpu, files: readonly File[]): Promise<Runner> {
  const { spec, weights } = await weightsOf(gpu, files);
  const { rope } = spec.layers[0].attention!; // a Llama's
  const ropes = new Map([[rope, await createVector(gpu, "rope table", ropeTable(rope, CONTEXT))]]);
  return Runner.create(gpu, chooseSchedule(gpu.traits), { spec, weights, ropes, cache: await createKvCache(gpu, spec, "f32", CONTEXT, 1) }, CONTEXT);
}
