import { parseQuantizationFile, type Quantization } from "../../src/formats/quantization.ts";
import { parseModelConfig } from "../../src/formats/model_config.ts";
import type { Dtype, TensorEntry } from "../../src/formats/safetensors.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { Uploader } from "../../src/gpu/upload.ts";
import { allocateMatrix, destroyMatrix } from "../../src/quant/matrix.ts";
import { ModuleRepack } from "../../src/quant/module_repack.ts";
import { recogniseModule } from "../../src/quant/module.ts";
import { withGpu, type Finding } from "../kernels/kernel_runs.ts";
import { randomValues } from "../kernels/random_values.ts";
import { FORMAT_CASES } from "./format_cases.ts";
import { type StoredTensor, tensorName } from "./stored_module.ts";
import { RARE_VECTORS } from "./rare_vectors.ts";
import { readWeights, worstWeight } from "./read_weights.ts";
import { TINY_CONFIG } from "./tiny_model.ts";
import { VECTORS } from "./vectors.ts";

const ROWS = 160; // a block of 128 rows and part of another
const COLUMNS = 192;
const SLICE_BYTES = 1009; // ends inside rows, words and groups

/** Repack random modules of every format, read them back through the kernels' own shader parts, and compare. */
export async function everyFormat(): Promise<Finding[]> {
  return withGpu({}, async (gpu) => {
    const uploader = await Uploader.create(gpu);
    const findings: Finding[] = [];
    for (const [i, { name, config, file, pack }] of FORMAT_CASES.entries()) {
      const { tensors, weights } = pack(randomValues(i + 1), ROWS, COLUMNS, "m");
      const quantization = file ? parseQuantizationFile(file.text, file.name) : quantizationOf(config);
      const found = await repacked(gpu, uploader, tensors, quantization, ROWS, COLUMNS);
      findings.push({ name, error: worstWeight(found, weights) });
    }
    uploader.destroy();
    return findings;
  });
}

/** Repack the worked examples of each format's documentation; the error is that of the values it names. */
export async function workedExamples(): Promise<Finding[]> {
  return withGpu({}, async (gpu) => {
    const uploader = await Uploader.create(gpu);
    const findings: Finding[] = [];
    for (const { name, config, rows, columns, tensors, expected } of [...VECTORS, ...RARE_VECTORS]) {
      const found = await repacked(gpu, uploader, tensors, quantizationOf(config), rows, columns);
      const errors = expected.flatMap(([row, column, ...values]) => values.map((value, i) => Math.abs(found[row * columns + column + i] - value)));
      findings.push({ name, error: Math.max(...errors) });
    }
    uploader.destroy();
    return findings;
  });
}

function quantizationOf(config: Record<string, unknown>): Quantization | undefined {
  return parseModelConfig(JSON.stringify({ ...TINY_CONFIG, ...config })).quantization;
}

async function repacked(gpu: Gpu, uploader: Uploader, stored: readonly StoredTensor[], quantization: Quantization | undefined, rows: number, columns: number): Promise<Float32Array> {
  const entries = new Map(stored.map((tensor): [string, TensorEntry] => [tensorName("m", tensor), entryOf(tensor)]));
  const module = recogniseModule({ module: "m", rows, columns, find: (name) => entries.get(name) }, quantization);
  const matrix = await allocateMatrix(gpu, "m", columns, [module]);
  const repack = new ModuleRepack(gpu, uploader, module, { matrix, moves: [{ from: 0, rows, to: 0, stride: 1 }] });
  for (const tensor of [...module.tensors].reverse()) {
    const { bytes } = stored.find((each) => tensorName("m", each) === tensor.entry.name)!; // entries were made from these
    const consumer = await repack.consumer(tensor);
    for (let begin = 0; begin < bytes.byteLength; begin += SLICE_BYTES) await consumer.write(bytes.subarray(begin, begin + SLICE_BYTES));
    await consumer.end();
  }
  const values = await readWeights(gpu, matrix);
  destroyMatrix(matrix);
  return values;
}

function entryOf(tensor: StoredTensor): TensorEntry {
  const { dtype, shape, bytes } = tensor;
  return { name: tensorName("m", tensor), dtype: dtype as Dtype, shape, begin: 0, end: bytes.byteLength }; // cases spell dtypes as files do
}
