import type { Gpu, GpuOptions } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { resolveSampling, type SamplingOptions } from "../../src/sampling/options.ts";
import { applyPenalties, sampleToken } from "../../src/sampling/sampler.ts";
import { product } from "../reference/matmul.ts";
import { unstriped } from "../reference/striped.ts";
import { readFloats, submit, testedSchedules, withGpu, worstError } from "./kernel_runs.ts";
import { randomModule, weightsOf, type StoredModule } from "./random_matrix.ts";
import { randomValues } from "./random_values.ts";
import { FIRST_POSITION, margin, readLogits, readRing, readRows, samplingSetting, type SamplingSetting, type Sequence } from "./sampling_setting.ts";

const VOCAB = 5003; // several workgroups of a pass that narrows logits down
const WIDTH = 64;
const EMBEDDING_SCALE = 24; // logits of standard deviation about 3

const SEQUENCES: readonly Sequence[] = [
  { slot: 3, options: { temperature: 0 } },
  { slot: 0, options: { temperature: 1, seed: 1 } },
  { slot: 7, options: { temperature: 0.8, topK: 40, seed: 2 } },
  { slot: 1, options: { temperature: 1.3, topP: 0.9, seed: 3 } },
  { slot: 6, options: { temperature: 1, minP: 0.05, seed: 4_294_967_295 } },
  { slot: 2, options: { temperature: 0, repetitionPenalty: 1.3, presencePenalty: 0.5, frequencyPenalty: 0.7 }, promptIds: [5, 6, 7, 1002] },
  { slot: 4, options: { temperature: 2, topK: 200, topP: 0.8, minP: 0.001, repetitionPenalty: 0.9, frequencyPenalty: -0.2, seed: 5 }, promptIds: [1, 2, 3] },
  { slot: 5, options: { temperature: 1, seed: 6 }, hasEnded: true },
];

/** What a run of many steps came to. */
export interface Conversation {
  /** Token ids of every sequence. */
  tokenIds: number[][];
  /** Tokens that differ from the CPU sampler's although that one was sure. */
  surprises: string[];
  /** The worst error of logits after penalties. */
  logitError: number;
  /** What the rings, the seen counts and the rows say otherwise than the tokens. */
  contradictions: string[];
}

interface ConversationRequest {
  schedule: "processor" | "gpu" | "floats";
  steps: number;
  /** Default: all eight. */
  sequences?: readonly Sequence[];
  bindingLimit?: number;
  gpuOptions?: GpuOptions;
}

/** Sample `steps` tokens of sequences with options of their own, if the adapter takes the schedule; what each samples is its next input. */
export function conversation({ schedule, steps, sequences = SEQUENCES, bindingLimit, gpuOptions = {} }: ConversationRequest): Promise<Conversation | undefined> {
  return withGpu(gpuOptions, async (gpu) => {
    const kernels = testedSchedules(gpu)[schedule];
    if (!kernels) return undefined;
    const head = randomModule(randomValues(1), { codes: "f32" }, VOCAB, WIDTH);
    const embedding = randomModule(randomValues(2), { codes: "q4", scales: "f16", group: 64 }, VOCAB, WIDTH);
    const inputs = randomValues(3).floats(sequences.length * WIDTH, 3);
    const cut = { ...kernels, rowsPerThread: 2 }; // eight rows at a time
    const setting = await samplingSetting(gpu, cut, sequences, { head, embedding, embeddingScale: EMBEDDING_SCALE, inputs, feedsBack: true, bindingLimit });
    return converse(gpu, setting, sequences, { head: weightsOf(head), embedding: weightsOf(embedding), inputs: Float64Array.from(inputs) }, steps);
  });
}

interface Twin {
  head: Float64Array;
  embedding: Float64Array;
  inputs: Float64Array;
}

async function converse(gpu: Gpu, setting: SamplingSetting, sequences: readonly Sequence[], twin: Twin, steps: number): Promise<Conversation> {
  const result: Conversation = { tokenIds: sequences.map(() => []), surprises: [], logitError: 0, contradictions: [] };
  for (let step = 0; step < steps; step++) {
    submit(gpu, setting.dispatches);
    const [logits, rows] = [await readLogits(gpu, setting), await readRows(gpu, setting)];
    const raw = product(twin.head, twin.inputs, { rows: VOCAB, columns: WIDTH, M: setting.M, inputStride: WIDTH });
    for (const [m, { options, promptIds = [], hasEnded }] of sequences.entries()) {
      if (hasEnded) continue;
      const sampling = resolveSampling({ seed: 7, ...options });
      const history = { promptIds, answerCounts: countsOf(result.tokenIds[m]) };
      const expected = applyPenalties(Float32Array.from(raw.subarray(m * VOCAB, (m + 1) * VOCAB)), history, sampling);
      result.logitError = Math.max(result.logitError, worstError(logits[m], expected, VOCAB));
      const token = rows[m][2];
      const own = sampleToken(logits[m], sampling, step);
      if (token !== own && !(margin(logits[m], options, step) < 1e-4)) result.surprises.push(`${JSON.stringify(options)} step ${step}: ${token}, not ${own}`);
      result.tokenIds[m].push(token);
      twin.inputs.set(twin.embedding.subarray(token * WIDTH, (token + 1) * WIDTH).map((weight) => EMBEDDING_SCALE * weight), m * WIDTH);
    }
  }
  result.contradictions = await contradictions(gpu, setting, sequences, result.tokenIds, twin.inputs);
  return result;
}

function countsOf(tokenIds: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of tokenIds) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

async function contradictions(gpu: Gpu, setting: SamplingSetting, sequences: readonly Sequence[], tokenIds: readonly number[][], inputs: Float64Array): Promise<string[]> {
  const rows = await readRows(gpu, setting);
  const hidden = unstriped(await readFloats(gpu, setting.hidden, inputs.length), WIDTH);
  const found: string[] = [];
  const expect = (what: string, isTrue: boolean) => void (isTrue || found.push(what));
  for (const [m, { slot, hasEnded, promptIds = [] }] of sequences.entries()) {
    const own = tokenIds[m];
    const ring = await readRing(gpu, setting, slot);
    const seen = new Uint32Array(await readBuffer(gpu.device, setting.sampler.seen, VOCAB * 4, slot * VOCAB * 4));
    const counts = countsOf(own);
    expect(`ring of row ${m}`, ring.count === own.length && own.every((id, step) => ring.tokenIds[step] === id));
    expect(`seen of row ${m}`, seen.every((word, id) => word === (promptIds.includes(id) ? 2 ** 31 : 0) + (counts.get(id) ?? 0)));
    const row = hasEnded ? [slot, FIRST_POSITION, 3, 0] : [slot, FIRST_POSITION + own.length, own[own.length - 1], 1];
    expect(`row ${m}: ${rows[m]}`, rows[m].every((word, i) => word === row[i]));
    const width = [m * WIDTH, (m + 1) * WIDTH] as const;
    expect(`embedding of row ${m}`, worstError(hidden.subarray(...width), inputs.subarray(...width), WIDTH) < 1e-6);
  }
  return found;
}

/** A head whose logits for row m are what `logits[m]` says, whatever is sampled; inputs are unit vectors. */
function fixedHead(logits: readonly Float32Array[]): { head: StoredModule; inputs: Float32Array<ArrayBuffer> } {
  const vocabSize = logits[0].length;
  const weights = Float32Array.from({ length: vocabSize * 32 }, (_, i) => logits[i % 32]?.[Math.floor(i / 32)] ?? 0);
  const inputs = Float32Array.from({ length: logits.length * 32 }, (_, i) => Number(i % 32 === Math.floor(i / 32)));
  return { head: { format: { codes: "f32" }, rows: vocabSize, columns: 32, tensors: { codes: new Uint8Array(weights.buffer) } }, inputs };
}

/** Sample from fixed logits in one pass; the tokens of every sequence, as its ring holds them. */
async function sampleFixed(gpu: Gpu, sequences: readonly Sequence[], logits: readonly Float32Array[], steps: number) {
  const { head, inputs } = fixedHead(logits);
  const embedding = randomModule(randomValues(4), { codes: "f16" }, head.rows, 40);
  const setting = await samplingSetting(gpu, testedSchedules(gpu).processor, sequences, { head, inputs, embedding, embeddingScale: 1, feedsBack: false });
  submit(gpu, Array.from({ length: steps }, () => setting.dispatches).flat());
  const rings = [];
  for (const { slot } of sequences) rings.push(await readRing(gpu, setting, slot));
  return { rings, rows: await readRows(gpu, setting) };
}

/** Sample where many logits are equal: the GPU's tokens, and the CPU sampler's. */
export function ties(): Promise<{ found: number[][]; expected: number[][] }> {
  const flat = new Float32Array(VOCAB).fill(-1);
  const put = (values: Record<number, number>) => Object.entries(values).reduce((logits, [id, logit]) => logits.with(Number(id), logit), flat);
  const cases: { options: SamplingOptions; logits: Float32Array }[] = [
    { options: { temperature: 0 }, logits: put({ 700: 2.5, 41: 2.5, 999: 2.5, 40: 2.4 }) },
    { options: { temperature: 1, topK: 3, seed: 11 }, logits: put({ 5: 3, 6: 2.9, 10: 2.5, 300: 2.5, 301: 2.5, 1002: 2.5 }) },
    { options: { temperature: 1, topP: 0.5, seed: 12 }, logits: put({ 0: 6, 900: 5, 901: 5, 902: 5, 903: 4 }) },
    { options: { temperature: 0 }, logits: flat },
  ];
  const steps = 60;
  return withGpu({}, async (gpu) => {
    const { rings } = await sampleFixed(gpu, cases.map(({ options }, slot) => ({ slot, options })), cases.map(({ logits }) => logits), steps);
    const expected = cases.map(({ options, logits }) => Array.from({ length: steps }, (_, step) => sampleToken(logits, resolveSampling({ seed: 7, ...options }), step)));
    return { found: rings.map(({ tokenIds }) => [...tokenIds.subarray(0, steps)]), expected };
  });
}

/** Run sequences past their ends: how many tokens each gave, its row, and the first tokens of its ring. */
export function endings(): Promise<{ counts: number[]; rows: number[][]; ring: number[] }> {
  const best = new Float32Array(VOCAB).with(8, 1);
  const varied = Float32Array.from({ length: VOCAB }, (_, id) => Math.sin(id));
  const sequences: Sequence[] = [
    { slot: 2, options: {}, stopIds: [8] },
    { slot: 0, options: {}, stopIds: [...Array(15).keys()].map((id) => id + 100).concat(8) },
    { slot: 1, options: {}, stopIds: [9], limit: 3 },
    { slot: 5, options: { temperature: 1, seed: 9 } },
  ];
  return withGpu({}, async (gpu) => {
    const { rings, rows } = await sampleFixed(gpu, sequences, [best, best, best, varied], 260);
    const sampling = resolveSampling({ temperature: 1, seed: 9 });
    // The ring holds 256 tokens: the last four have taken the places of the first.
    const wrapped = [256, 257, 258, 259, 4, 5].map((step) => sampleToken(varied, sampling, step));
    return { counts: rings.map(({ count }) => count), rows, ring: [...rings[3].tokenIds.subarray(0, 6)].map((id, i) => id - wrapped[i]) };
  });
}
