import type { Quantization } from "../formats/model_config.ts";
import type { WeightFile } from "../formats/shard_index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Uploader } from "../gpu/upload.ts";
import type { AltupLayerSpec, AttentionSpec, DecoderSpec, LayerSpec, LinearSpec, MlpSpec, MoeSpec, NormSpec, PerLayerSpec, RecurrentSpec } from "../kernels/decoder_spec.ts";
import {
  createVector, type AltupLayerWeights, type AttentionWeights, type DecoderWeights, type LayerWeights, type MlpWeights, type MoeWeights,
  type NormWeights, type PerLayerWeights, type RecurrentWeights,
} from "../kernels/decoder_weights.ts";
import { stripedIndex } from "../kernels/striped.ts";
import { stacked } from "../models/modules.ts";
import { padColumns } from "../quant/matrix.ts";
import type { QuantizedWidth } from "../quant/quantise.ts";
import type { CheckpointFile } from "../storage/checkpoint.ts";
import { linear, linears } from "./linear_weights.ts";
import { streamTensors } from "./stream_tensors.ts";
import { isNeverRead } from "./tensor_names.ts";
import { WeightJobs } from "./weight_jobs.ts";

/** How weights are read. */
export interface WeightOptions {
  /** How the checkpoint is packed, by its config. */
  quantization: Quantization | undefined;
  /** What floats are quantised to while they load; nothing when undefined. */
  quantize?: QuantizedWidth;
  signal?: AbortSignal;
}

/** Embedding and head lose most by narrow codes, so they keep 8 bits; learned positions stay floats. */
function widthOnLoad({ embedding, head, positions }: DecoderSpec, quantize: QuantizedWidth | undefined): (module: string) => QuantizedWidth | undefined {
  return (module) => {
    if (quantize === undefined || module === positions?.module) return undefined;
    return module === embedding || module === head ? "q8" : quantize;
  };
}

/** A model's weights in GPU buffers. */
export interface LoadingWeights {
  /** The spec that holds for these files. */
  spec: DecoderSpec;
  weights: DecoderWeights;
  /** Resolves when every buffer holds its weights; until then kernels may be compiled and bound, but not run. */
  filled: Promise<void>;
}

/**
 * Begin to read a model's weights into GPU buffers; resolves when these are allocated. Walks the model's own tensor list,
 * not the files: everything is recognised and checked before the first weight byte is read, and nothing may be missing or
 * left over.
 */
export async function loadWeights(gpu: Gpu, planned: DecoderSpec, files: readonly WeightFile<CheckpointFile>[], options: WeightOptions): Promise<LoadingWeights> {
  const uploader = await Uploader.create(gpu);
  try {
    const { spec, weights, jobs } = await prepareWeights(gpu, uploader, planned, files, options);
    const filled = fill(gpu, files, jobs, options.signal).finally(() => uploader.destroy());
    filled.catch(() => {}); // the caller sees it, but perhaps not at once
    return { spec, weights, filled };
  } catch (error) {
    uploader.destroy();
    throw error;
  }
}

async function fill(gpu: Gpu, files: readonly WeightFile<CheckpointFile>[], jobs: WeightJobs, signal: AbortSignal | undefined): Promise<void> {
  for (const file of files) await streamTensors(file.file, jobs.inFile(file), signal);
  await gpu.idle();
  gpu.throwIfFaulty();
}

/** Recognise and check every tensor, and allocate where they go; reads none of them. */
export async function prepareWeights(
  gpu: Gpu, uploader: Uploader, planned: DecoderSpec, files: readonly WeightFile<CheckpointFile>[], { quantization, quantize }: WeightOptions,
): Promise<{ spec: DecoderSpec; weights: DecoderWeights; jobs: WeightJobs }> {
  const jobs = new WeightJobs(gpu, uploader, files, { quantization, widthOnLoad: widthOnLoad(planned, quantize) }, planned.embedding);
  const { savedByMlx } = planned;
  const shape = savedByMlx && jobs.shapeOf(savedByMlx.tensor);
  const spec = savedByMlx && shape && savedByMlx.isRewritten(shape) ? savedByMlx.spec : planned;
  const weights = await allocateWeights(gpu, spec, jobs);
  const tied = weights.head === weights.embedding;
  const unread = (spec.unread ?? []).map((module) => jobs.nameInFile(`${module}.`));
  jobs.assertNothingLeftOver((name) => isNeverRead(name) || unread.some((prefix) => name.startsWith(prefix)) || (tied && /^(language_model\.)?lm_head\./.test(name)));
  return { spec, weights, jobs };
}

async function allocateWeights(gpu: Gpu, spec: DecoderSpec, jobs: WeightJobs): Promise<DecoderWeights> {
  const { hiddenSize, vocabSize } = spec;
  const table = (module: string, rows: number, bias: boolean): LinearSpec => stacked(module, hiddenSize, [{ module, rows, bias }]);
  // Checkpoints whose config forgets to say "tied" simply have no head.
  const tied = spec.head === spec.embedding || !jobs.hasModule(spec.head);
  const embedding = (await linear(gpu, jobs, table(spec.embedding, vocabSize, false))).matrix;
  const head = tied ? { matrix: embedding, bias: undefined } : await linear(gpu, jobs, table(spec.head, vocabSize, spec.headBias));
  const { positions, perLayer, altup } = spec;
  const layers: LayerWeights[] = [];
  for (const [index, layer] of spec.layers.entries()) layers.push(await allocateLayer(gpu, spec, layer, index, jobs));
  return {
    embedding,
    positions: positions && (await linear(gpu, jobs, table(positions.module, positions.rows, false))).matrix,
    head: head.matrix,
    headBias: head.bias,
    // A factor of all logits is a factor of the last norm's gains.
    finalNorm: await streamNorm(gpu, jobs, spec.finalNorm, hiddenSize, spec.logitScale),
    perLayer: perLayer && (await perLayerWeights(gpu, jobs, perLayer)),
    altup: altup && { projections: await linears(gpu, jobs, altup.projections), unembeddings: await linears(gpu, jobs, altup.unembeddings) },
    layers,
  };
}

async function perLayerWeights(gpu: Gpu, jobs: WeightJobs, { width, embedding, rows, projection, norm }: PerLayerSpec): Promise<PerLayerWeights> {
  const all = projection.rows;
  return {
    embedding: (await linear(gpu, jobs, stacked(embedding, all, [{ module: embedding, rows, bias: false }]))).matrix,
    projection: await linear(gpu, jobs, projection),
    norm: await norms(gpu, jobs, new Array<NormSpec>(all / width).fill(norm), width, 1, (i) => stripedIndex(i, padColumns(all))),
  };
}

async function allocateLayer(gpu: Gpu, { hiddenSize, perLayer }: DecoderSpec, layer: LayerSpec, index: number, jobs: WeightJobs): Promise<LayerWeights> {
  const { attention, recurrent, attentionNorm, attentionPostNorm, mlp, mlpNorm, mlpPostNorm, moe, ownInput, scalar, altup } = layer;
  const norm = async (spec: NormSpec | undefined) => spec && streamNorm(gpu, jobs, spec, hiddenSize, 1);
  const attentionNormWeights = await norm(attentionNorm);
  return {
    attentionNorm: attentionNormWeights,
    attention: attention && (await attentionWeights(gpu, jobs, attention)),
    recurrent: recurrent && (await recurrentWeights(gpu, jobs, recurrent)),
    attentionPostNorm: await norm(attentionPostNorm),
    mlpNorm: mlpNorm === attentionNorm ? attentionNormWeights : await norm(mlpNorm),
    mlp: mlp && (await mlpWeights(gpu, jobs, mlp)),
    moe: moe && (await moeWeights(gpu, jobs, moe, hiddenSize)),
    mlpPostNorm: await norm(mlpPostNorm),
    ownInput: ownInput && {
      gate: await linear(gpu, jobs, ownInput.gate),
      first: await createIndex(gpu, index * (perLayer?.width ?? 0)),
      projection: await linear(gpu, jobs, ownInput.projection),
      norm: await streamNorm(gpu, jobs, ownInput.norm, hiddenSize, 1),
    },
    altup: altup && (await altupWeights(gpu, jobs, altup, hiddenSize)),
    scalar: scalar === undefined ? undefined : await sideBySide(gpu, jobs, [{ name: scalar, length: 1 }]),
  };
}

async function altupWeights(gpu: Gpu, jobs: WeightJobs, { norm, router, prediction, correction, outputScale, laurel }: AltupLayerSpec, hiddenSize: number): Promise<AltupLayerWeights> {
  const streams = router.rows;
  const values = new Float32Array(padColumns(hiddenSize));
  const buffer = await createVector(gpu, outputScale, values);
  jobs.wantVector(outputScale, hiddenSize, { buffer, values, place: (i) => stripedIndex(i, values.length) });
  return {
    norm: await streamNorm(gpu, jobs, norm, hiddenSize, 1 / hiddenSize), // the router takes the norm's result divided by its width
    router: await linear(gpu, jobs, router),
    prediction: await sideBySide(gpu, jobs, [{ name: prediction, length: streams ** 3 }]),
    correction: await sideBySide(gpu, jobs, [{ name: correction, length: streams ** 2 }]),
    outputScale: buffer,
    laurel: { left: await linear(gpu, jobs, laurel.left), right: await linear(gpu, jobs, laurel.right), norm: await streamNorm(gpu, jobs, laurel.norm, hiddenSize, 1) },
  };
}

async function createIndex(gpu: Gpu, value: number): Promise<GPUBuffer> {
  const buffer = await gpu.allocate("index", 4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
  gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array([value]));
  return buffer;
}

async function attentionWeights(gpu: Gpu, jobs: WeightJobs, attention: AttentionSpec): Promise<AttentionWeights> {
  const { heads, kvHeads, headDim, queryKeyNorm } = attention;
  const parts = queryKeyNorm.kind === "parts" ? queryKeyNorm : undefined;
  return {
    qkv: await linear(gpu, jobs, attention.qkv),
    headGains: await headGains(gpu, attention, jobs),
    queryNorm: parts && (await norms(gpu, jobs, parts.query, (heads * headDim) / parts.query.length, 1, (i) => i)),
    keyNorm: parts && (await norms(gpu, jobs, parts.key, (kvHeads * headDim) / parts.key.length, 1, (i) => i)),
    valueNorm: attention.valueNorm === undefined ? undefined : await plainNorm(gpu, headDim, kvHeads, attention.valueNorm),
    outputNorm: attention.outputNorm && (await streamNorm(gpu, jobs, attention.outputNorm, heads * headDim, 1)),
    output: await linear(gpu, jobs, attention.output),
  };
}

async function recurrentWeights(gpu: Gpu, jobs: WeightJobs, recurrent: RecurrentSpec): Promise<RecurrentWeights> {
  const { channels, taps, kernel, bias, input, output } = recurrent;
  const values = new Float32Array(channels * (taps + 1));
  const buffer = await createVector(gpu, kernel, values);
  const factorOf = channelFactors(recurrent);
  jobs.wantVector(kernel, channels * taps, { buffer, values, place: (i) => i, scale: (i) => factorOf(Math.floor(i / taps)) });
  if (bias) jobs.wantVector(bias, channels, { buffer, values, place: (i) => channels * taps + i });
  return {
    input: await linear(gpu, jobs, input),
    kernel: buffer,
    parameters: await recurrentParameters(gpu, jobs, recurrent),
    outputNorm: recurrent.kind === "mamba" && recurrent.norm ? await streamNorm(gpu, jobs, recurrent.norm, output.columns, 1) : undefined,
    output: await linear(gpu, jobs, output),
  };
}

/** Factors of what a convolution takes, which are its kernel's as well. */
function channelFactors(recurrent: RecurrentSpec): (channel: number) => number {
  if (recurrent.kind !== "mamba" || !recurrent.factors) return () => 1;
  const { heads, headDim, groups, stateDim, factors } = recurrent;
  const firstB = heads * headDim;
  const firstC = firstB + groups * stateDim;
  return (channel) => (channel < firstB ? factors.x : channel < firstC ? factors.b : factors.c);
}

async function recurrentParameters(gpu: Gpu, jobs: WeightJobs, recurrent: RecurrentSpec): Promise<GPUBuffer | undefined> {
  if (recurrent.kind === "shortConv") return undefined;
  if (recurrent.kind === "mamba") {
    const { heads, decay, paceBias, skip } = recurrent;
    return sideBySide(gpu, jobs, [decay, paceBias, skip].map((name) => ({ name, length: heads })));
  }
  const { valueHeads, valueDim, decay, decayBias, norm } = recurrent;
  return sideBySide(gpu, jobs, [{ name: decay, length: valueHeads }, { name: decayBias, length: valueHeads }, { name: `${norm.module}.weight`, length: valueDim }]);
}

/** Vectors one after another in one buffer. */
async function sideBySide(gpu: Gpu, jobs: WeightJobs, vectors: readonly { name: string; length: number }[]): Promise<GPUBuffer> {
  const values = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  const buffer = await createVector(gpu, vectors[0].name, values);
  let start = 0;
  for (const { name, length } of vectors) {
    const first = start;
    jobs.wantVector(name, length, { buffer, values, place: (i) => first + i });
    start += length;
  }
  return buffer;
}

async function mlpWeights(gpu: Gpu, jobs: WeightJobs, { activation, up, downNorm, down }: MlpSpec): Promise<MlpWeights> {
  return {
    up: await linear(gpu, jobs, up),
    slopes: typeof activation === "string" ? undefined : await slopes(gpu, jobs, activation.module),
    downNorm: downNorm && (await streamNorm(gpu, jobs, downNorm, down.columns, 1)),
    down: await linear(gpu, jobs, down),
  };
}

async function moeWeights(gpu: Gpu, jobs: WeightJobs, { experts, router, routing, norms: own, up, down }: MoeSpec, hiddenSize: number): Promise<MoeWeights> {
  const [vector, neutral] = routing.kind === "softmax" ? [routing.factors, 1] : [routing.bias, 0];
  const perExpert = await (vector ? sideBySide(gpu, jobs, [{ name: vector, length: experts }]) : createVector(gpu, "per expert", new Float32Array(experts).fill(neutral)));
  const norm = (one: NormSpec, scale = 1) => streamNorm(gpu, jobs, one, hiddenSize, scale);
  return {
    router: await linear(gpu, jobs, router),
    perExpert,
    norms: own && { router: await norm(own.router, hiddenSize ** -0.5), experts: await norm(own.experts), mlpPost: await norm(own.mlpPost), expertsPost: await norm(own.expertsPost) },
    up: await linear(gpu, jobs, up),
    down: await linear(gpu, jobs, down),
  };
}

/** A norm of the residual stream, whose rows lie striped. */
async function streamNorm(gpu: Gpu, jobs: WeightJobs, spec: NormSpec, width: number, scale: number): Promise<NormWeights> {
  return norms(gpu, jobs, [spec], width, scale, (i) => stripedIndex(i, padColumns(width)));
}

/** Norms of equal parts of a row, side by side: gains, then biases, each where `place` says; parts of one module have the same. */
async function norms(
  gpu: Gpu, jobs: WeightJobs, specs: readonly NormSpec[], width: number, scale: number, place: (i: number) => number,
): Promise<NormWeights> {
  const biasStart = padColumns(specs.length * width);
  const values = new Float32Array(2 * biasStart);
  const buffer = await createVector(gpu, specs[0].module, values);
  for (const { module, gains = "weight", gainOffset, bias } of new Set(specs)) {
    const places = (i: number) => specs.flatMap((spec, part) => (spec.module === module ? [place(part * width + i)] : []));
    jobs.wantVector(`${module}.${gains}`, width, { buffer, values, place: places, offset: gainOffset, scale });
    if (bias) jobs.wantVector(`${module}.bias`, width, { buffer, values, place: (i) => places(i).map((at) => biasStart + at), scale });
  }
  const [{ kind, epsilon, groups = 1 }] = specs;
  return { gains: buffer, width: width / groups, groups: specs.length * groups, isCentred: kind === "layer", epsilon, biasStart };
}

/** A norm of equal parts without gains of its own. */
async function plainNorm(gpu: Gpu, width: number, groups: number, epsilon: number): Promise<NormWeights> {
  const biasStart = padColumns(groups * width);
  const gains = await createVector(gpu, "unit gains", new Float32Array(2 * biasStart).fill(1, 0, biasStart));
  return { gains, width, groups, isCentred: false, epsilon, biasStart };
}

async function headGains(gpu: Gpu, { queryKeyNorm, heads, headDim, sinks, kvSource }: AttentionSpec, jobs: WeightJobs): Promise<GPUBuffer> {
  const values = new Float32Array(2 * headDim + heads);
  const buffer = await createVector(gpu, "head gains", values);
  if (queryKeyNorm.kind === "head" || queryKeyNorm.kind === "headAfterRotation") {
    const own = kvSource === undefined ? [queryKeyNorm.query, queryKeyNorm.key] : [queryKeyNorm.query];
    for (const [i, { module, gainOffset }] of own.entries()) {
      jobs.wantVector(`${module}.weight`, headDim, { buffer, values, place: (dim) => i * headDim + dim, offset: gainOffset });
    }
  }
  if (sinks) jobs.wantVector(sinks, heads, { buffer, values, place: (head) => 2 * headDim + head });
  return buffer;
}

/** The scalars of xIELU; a checkpoint need not store those that are not learned. */
async function slopes(gpu: Gpu, jobs: WeightJobs, module: string): Promise<GPUBuffer> {
  const values = new Float32Array([0, 0, 0.5, -1e-6]);
  const buffer = await createVector(gpu, module, values);
  for (const [i, name] of ["alpha_p", "alpha_n", "beta", "eps"].entries()) {
    if (i < 2 || jobs.has(`${module}.${name}`)) jobs.wantVector(`${module}.${name}`, 1, { buffer, values, place: () => i });
  }
  return buffer;
}
