import { HearthError } from "../errors.ts";
import type { MlxQuantization } from "../formats/model_config.ts";
import type { WeightFile } from "../formats/shard_index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Uploader } from "../gpu/upload.ts";
import type { DecoderSpec, LayerSpec, LinearSpec } from "../kernels/decoder_spec.ts";
import { createVector, type DecoderWeights, type LayerWeights, type LinearWeights } from "../kernels/decoder_weights.ts";
import { stripedIndex } from "../kernels/striped.ts";
import { allocateMatrix, formatKey, isSameFormat, padColumns, type Matrix, type RowRun } from "../quant/matrix.ts";
import type { ModuleWeights } from "../quant/module_weights.ts";
import type { CheckpointFile } from "../storage/checkpoint.ts";
import { streamTensors } from "./stream_tensors.ts";
import { WeightJobs } from "./weight_jobs.ts";

// Buffers that old checkpoints carry along and that every family computes by itself.
const RECOMPUTED = /\.(rotary_emb\.inv_freq|attn\.(masked_)?bias|position_ids)$/;

/**
 * Read a model's weights into GPU buffers. Walks the model's own tensor list, not the files: everything is recognised
 * and checked before the first weight byte is read, and nothing may be missing or left over.
 */
export async function loadWeights(
  gpu: Gpu, spec: DecoderSpec, files: readonly WeightFile<CheckpointFile>[], quantization: MlxQuantization | undefined, signal?: AbortSignal,
): Promise<DecoderWeights> {
  const uploader = await Uploader.create(gpu);
  try {
    const jobs = new WeightJobs(gpu, uploader, files, quantization);
    const weights = await allocateWeights(gpu, spec, jobs);
    const tied = weights.head === weights.embedding;
    jobs.assertNothingLeftOver((name) => RECOMPUTED.test(name) || (tied && name.startsWith("lm_head.")));
    for (const file of files) await streamTensors(file.file, jobs.inFile(file), signal);
    await gpu.idle();
    gpu.throwIfFaulty();
    return weights;
  } finally {
    uploader.destroy();
  }
}

async function allocateWeights(gpu: Gpu, spec: DecoderSpec, jobs: WeightJobs): Promise<DecoderWeights> {
  const { hiddenSize, vocabSize } = spec;
  const table = (module: string): LinearSpec => ({ module, rows: vocabSize, columns: hiddenSize, bias: false });
  // Checkpoints whose config forgets to say "tied" simply have no head.
  const tied = spec.head === spec.embedding || !jobs.has(`${spec.head}.weight`);
  const embedding = (await concatenated(gpu, "embedding", jobs, [table(spec.embedding)])).matrix;
  const head = tied ? embedding : (await concatenated(gpu, "head", jobs, [table(spec.head)])).matrix;
  const finalNorm = await norm(gpu, jobs, spec.finalNorm, hiddenSize);
  const layers: LayerWeights[] = [];
  for (const layer of spec.layers) layers.push(await allocateLayer(gpu, hiddenSize, layer, jobs));
  return { embedding, head, finalNorm, layers };
}

async function allocateLayer(gpu: Gpu, hiddenSize: number, layer: LayerSpec, jobs: WeightJobs): Promise<LayerWeights> {
  const { attention, mlp } = layer;
  return {
    attentionNorm: await norm(gpu, jobs, layer.attentionNorm, hiddenSize),
    qkv: await concatenated(gpu, attention.query.module, jobs, [attention.query, attention.key, attention.value]),
    headGains: await headGains(gpu, layer, jobs),
    output: await concatenated(gpu, attention.output.module, jobs, [attention.output]),
    mlpNorm: await norm(gpu, jobs, layer.mlpNorm, hiddenSize),
    gateUp: await interleaved(gpu, mlp.gate.module, jobs, [mlp.gate, mlp.up]),
    down: await concatenated(gpu, mlp.down.module, jobs, [mlp.down]),
  };
}

async function norm(gpu: Gpu, jobs: WeightJobs, module: string, width: number): Promise<GPUBuffer> {
  const values = new Float32Array(padColumns(width));
  const buffer = await createVector(gpu, module, values);
  jobs.wantVector(`${module}.weight`, width, { buffer, values, place: (i) => stripedIndex(i, values.length) });
  return buffer;
}

async function headGains(gpu: Gpu, { attention }: LayerSpec, jobs: WeightJobs): Promise<GPUBuffer> {
  const { headNorms, headDim } = attention;
  const values = new Float32Array(2 * headDim);
  const buffer = await createVector(gpu, headNorms?.query ?? "no head norms", values);
  if (headNorms) {
    jobs.wantVector(`${headNorms.query}.weight`, headDim, { buffer, values, place: (i) => i });
    jobs.wantVector(`${headNorms.key}.weight`, headDim, { buffer, values, place: (i) => headDim + i });
  }
  return buffer;
}

/** Modules one under another in one matrix; neighbours that share a format share a part. */
async function concatenated(gpu: Gpu, label: string, jobs: WeightJobs, linears: readonly LinearSpec[]): Promise<LinearWeights> {
  const modules = linears.map((linear) => jobs.recognise(linear));
  const runs: RowRun[] = [];
  for (const { rows, format } of modules) {
    const last = runs.at(-1);
    if (last && isSameFormat(last.format, format)) runs[runs.length - 1] = { rows: last.rows + rows, format };
    else runs.push({ rows, format });
  }
  const matrix = await allocateMatrix(gpu, label, linears[0].columns, runs);
  return fill(gpu, jobs, matrix, linears, modules, modules.map((_, i) => ({ start: sum(modules.slice(0, i)), stride: 1 })));
}

/** Two modules of one shape in one matrix, row by row in turn, so that one thread computes both. */
async function interleaved(gpu: Gpu, label: string, jobs: WeightJobs, linears: readonly LinearSpec[]): Promise<LinearWeights> {
  const modules = linears.map((linear) => jobs.recognise(linear));
  const [{ format }, other] = modules;
  if (!isSameFormat(format, other.format)) {
    throw new HearthError("unsupported-checkpoint", `${linears[1].module}: stored as ${formatKey(other.format)}, and ${linears[0].module} as ${formatKey(format)}; Hearth needs both alike`);
  }
  const matrix = await allocateMatrix(gpu, label, linears[0].columns, [{ rows: sum(modules), format }]);
  return fill(gpu, jobs, matrix, linears, modules, modules.map((_, start) => ({ start, stride: modules.length })));
}

function sum(modules: readonly ModuleWeights[]): number {
  return modules.reduce((rows, module) => rows + module.rows, 0);
}

async function fill(
  gpu: Gpu, jobs: WeightJobs, matrix: Matrix, linears: readonly LinearSpec[], modules: readonly ModuleWeights[], places: readonly { start: number; stride: number }[],
): Promise<LinearWeights> {
  const values = new Float32Array(Math.ceil(matrix.rows / 2) * 2);
  const bias = linears.some((linear) => linear.bias) ? await createVector(gpu, `${matrix.label} bias`, values) : undefined;
  for (const [i, linear] of linears.entries()) {
    jobs.wantMatrix(modules[i], { matrix, ...places[i] });
    if (bias && linear.bias) jobs.wantVector(`${linear.module}.bias`, linear.rows, { buffer: bias, values, place: (row) => places[i].start + row * places[i].stride });
  }
  return { matrix, bias };
}
