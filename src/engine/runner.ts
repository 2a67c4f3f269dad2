import { submitDispatches, type Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { TimedPass } from "../gpu/pass_times.ts";
import { readBuffer } from "../gpu/readback.ts";
import { createActivations, freeActivations, type Activations } from "../kernels/activations.ts";
import { createDecodePlan, hiddenRowBytes, type DecodePlan } from "../kernels/decode_plan.ts";
import { hasStates } from "../kernels/kv_cache.ts";
import type { Decoder } from "../kernels/layer_steps.ts";
import { workgroupCount } from "../kernels/matmul.ts";
import { createLogitsPlan, createPrefillPlan, embedRows, planForRows, type PrefillPlan } from "../kernels/prefill_plan.ts";
import { beginSampling, createSamplerState, freeSampler, RING_BYTES, type SamplerState, type SamplingStart } from "../kernels/sampler_state.ts";
import type { Schedule } from "../kernels/schedule.ts";
import { PrefillPace } from "./prefill_pace.ts";

/** One kind of kernel of a decoded token. */
export interface KernelPass extends TimedPass {
  dispatches: readonly Dispatch[];
}

const LOGITS_ROWS = 32; // rows of vocabulary-wide logits that are held at once
const SLOT = 0; // the one sequence that this runner serves

interface RunnerParts {
  decodeRow: Activations;
  prefillChunk: Activations;
  prefillPlan: PrefillPlan;
  sampler: SamplerState;
  embedRow: readonly Dispatch[];
  decodePlans: ReadonlyMap<number, DecodePlan>;
  splitStarts: number[];
}

/** Allocate what forward passes write: activations, logits, and what sampling remembers. */
export async function allocateRun(gpu: Gpu, schedule: Schedule, { spec, weights }: Pick<Decoder, "spec" | "weights">, contextLength: number) {
  const splits = Array.from({ length: contextLength }, (_, position) => schedule.splits(position + 1));
  const splitCounts = new Set(splits);
  const statCount = workgroupCount(schedule, { matrix: weights.head, bias: undefined }, 1);
  return {
    splitCounts,
    splitStarts: [...splitCounts].map((count) => splits.indexOf(count)),
    decodeRow: await createActivations(gpu, spec, 1, Math.max(...splitCounts), "f32"),
    prefillChunk: await createActivations(gpu, spec, schedule.prefillRows, 1, schedule.inputForm),
    sampler: await createSamplerState(gpu, 1, spec.vocabSize, statCount),
  };
}

/** Runs forward passes of a decoder over one sequence: fills the cache, decodes, samples. Records and submits; never waits. */
export class Runner {
  readonly schedule: Schedule;
  readonly decoder: Decoder;
  readonly prefillRows: number;
  readonly pace: PrefillPace;
  readonly #gpu: Gpu;
  readonly #decodeRow: Activations;
  readonly #prefillChunk: Activations;
  readonly #prefillPlan: PrefillPlan;
  readonly #sampler: SamplerState;
  readonly #embedRow: readonly Dispatch[];
  readonly #decodePlans: ReadonlyMap<number, DecodePlan>;
  readonly #splitStarts: number[];
  #isDrawing = false; // whether the answer's tokens are drawn, or the best

  private constructor(gpu: Gpu, schedule: Schedule, decoder: Decoder, parts: RunnerParts) {
    this.#gpu = gpu;
    this.schedule = schedule;
    this.decoder = decoder;
    this.#decodeRow = parts.decodeRow;
    this.#prefillChunk = parts.prefillChunk;
    this.prefillRows = parts.prefillChunk.M;
    this.pace = new PrefillPace(this.prefillRows, decoder.spec.layers.length);
    this.#prefillPlan = parts.prefillPlan;
    this.#sampler = parts.sampler;
    this.#embedRow = parts.embedRow;
    this.#decodePlans = parts.decodePlans;
    this.#splitStarts = parts.splitStarts;
  }

  /** Compile every kernel and prepare every plan that sequences of up to `contextLength` tokens need. */
  static async create(gpu: Gpu, schedule: Schedule, decoder: Decoder, contextLength: number): Promise<Runner> {
    const { decodeRow, prefillChunk, sampler, splitCounts, splitStarts } = await allocateRun(gpu, schedule, decoder, contextLength);
    const preparing = [
      createPrefillPlan(gpu, schedule, decoder, prefillChunk),
      embedRows(gpu, decoder, decodeRow),
      ...[...splitCounts].map(async (splits) => [splits, await createDecodePlan(gpu, schedule, decoder, decodeRow, sampler, splits)] as const),
    ] as const;
    try {
      const [prefillPlan, embedRow, ...decodePlans] = await Promise.all(preparing);
      return new Runner(gpu, schedule, decoder, { decodeRow, prefillChunk, prefillPlan, sampler, embedRow, decodePlans: new Map(decodePlans), splitStarts });
    } catch (error) {
      // What is still being prepared binds these buffers when it is.
      void Promise.allSettled(preparing).then(() => {
        freeActivations(gpu, decodeRow, prefillChunk);
        freeSampler(gpu, sampler);
      });
      throw error;
    }
  }

  /** Start an answer: from here on sampling follows its options. */
  begin(start: SamplingStart): void {
    beginSampling(this.#gpu, this.#sampler, SLOT, start);
    this.#isDrawing = start.sampling.temperature > 0;
  }

  /** Run a chunk of at most `prefillRows` tokens through the layers, from `position` on, in so many submits of about equal length. */
  prefill(tokenIds: readonly number[], position: number, submits = 1): void {
    const dispatches = this.#chunkDispatches(tokenIds, position);
    const length = Math.ceil(dispatches.length / submits);
    for (let first = 0; first < dispatches.length; first += length) {
      submitDispatches(this.#gpu.device, "prefill", dispatches.slice(first, first + length));
    }
  }

  /** The first positions at which attention is cut into another number of spans. */
  get splitStarts(): number[] {
    return this.#splitStarts;
  }

  /** Keep what recurrent layers remember now, so that the sequence can go back here; keys and values stay where they are anyway. */
  saveStates(): void {
    const { states, saved } = this.decoder.cache;
    this.#copyStates(states, saved);
  }

  /** Go back to the states that were saved last. */
  restoreStates(): void {
    const { states, saved } = this.decoder.cache;
    this.#copyStates(saved, states);
  }

  #copyStates(from: readonly GPUBuffer[], to: readonly GPUBuffer[]): void {
    const { spec } = this.decoder;
    if (!hasStates(spec)) return;
    const encoder = this.#gpu.device.createCommandEncoder({ label: "states" });
    for (const [layer, { recurrent }] of spec.layers.entries()) {
      if (recurrent) encoder.copyBufferToBuffer(from[layer], 0, to[layer], 0, from[layer].size);
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /** Sample the first token after a prefill whose last chunk had `rows` rows and ended at `position`. */
  sampleAfterPrefill(rows: number, position: number): void {
    this.#takeLastRow(rows, position);
    const plan = this.#planFor(position + 1);
    submitDispatches(this.#gpu.device, "first token", plan.prefillHead, ...this.#sampling(plan));
  }

  #takeLastRow(rows: number, position: number): void {
    const { device } = this.#gpu;
    const rowBytes = hiddenRowBytes(this.decoder);
    device.queue.writeBuffer(this.#decodeRow.rows, 0, new Uint32Array([SLOT, position, 0, 1]));
    const encoder = device.createCommandEncoder({ label: "last row" });
    encoder.copyBufferToBuffer(this.#prefillChunk.hidden, (rows - 1) * rowBytes, this.#decodeRow.hidden, 0, rowBytes);
    device.queue.submit([encoder.finish()]);
  }

  /** Decode and sample the token after `position`: one pass, one submit. */
  decode(position: number): void {
    submitDispatches(this.#gpu.device, "decode", ...this.#tokenLists(position + 1));
  }

  /** What makes the last token of so many. */
  #tokenLists(length: number): (readonly Dispatch[])[] {
    const plan = this.#planFor(length);
    return [plan.layers, plan.head, ...this.#sampling(plan)];
  }

  #sampling({ shortlist, sample }: DecodePlan): (readonly Dispatch[])[] {
    return this.#isDrawing ? [shortlist, sample] : [sample];
  }

  /** Decode one given token and read its logits, f32 `[vocabSize]`: for callers who choose tokens themselves. */
  async forward(tokenId: number, position: number): Promise<Float32Array> {
    this.#gpu.device.queue.writeBuffer(this.#decodeRow.rows, 0, new Uint32Array([SLOT, position, tokenId, 1]));
    const { layers, head } = this.#planFor(position + 1);
    submitDispatches(this.#gpu.device, "forward", this.#embedRow, layers, head);
    return this.#readLogits();
  }

  /** Prefill given tokens from `position` on and read the logits of the last: what `forward` says, by the other path. */
  async forwardPrefilled(tokenIds: readonly number[], position: number): Promise<Float32Array> {
    const last = position + tokenIds.length - 1;
    this.prefill(tokenIds, position);
    this.#takeLastRow(tokenIds.length, last);
    submitDispatches(this.#gpu.device, "forward", this.#planFor(last + 1).prefillHead);
    return this.#readLogits();
  }

  async #readLogits(): Promise<Float32Array> {
    const { logits, vocabSize } = this.#sampler;
    return new Float32Array(await this.#gpu.untilLost(readBuffer(this.#gpu.device, logits, vocabSize * 4)));
  }

  /** Dispatches that one token takes at a given length. */
  dispatchesPerToken(length: number): number {
    return this.#tokenLists(length).flat().length;
  }

  /** The dispatches of a decoded token by kind of kernel, each as a pass that runs them `repeats` times over. */
  kernelPasses(length: number, repeats: number): KernelPass[] {
    const all = this.#tokenLists(length).flat();
    const prepare = () => this.#gpu.device.queue.writeBuffer(this.#decodeRow.rows, 0, new Uint32Array([SLOT, length - 1, 0, 1]));
    return [...new Set(all.map(({ label }) => label))].map((label) => {
      const dispatches = all.filter((dispatch) => dispatch.label === label);
      return { label, dispatches, prepare, lists: Array.from({ length: repeats }, () => dispatches) };
    });
  }

  /** Copy the ring of sampled tokens into a staging buffer, after everything submitted so far. */
  copyRing(staging: GPUBuffer): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: "token ring" });
    encoder.copyBufferToBuffer(this.#sampler.ring, SLOT * RING_BYTES, staging, 0, RING_BYTES);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /** Compute the logits of every position, f32 `[tokenIds.length, vocabSize]`. Overwrites the cache from position 0. */
  async logits(tokenIds: readonly number[]): Promise<Float32Array> {
    const { vocabSize } = this.decoder.spec;
    const all = new Float32Array(tokenIds.length * vocabSize);
    const buffer = await this.#gpu.allocate("logits of all rows", LOGITS_ROWS * 2 * vocabSize * 4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    try {
      const plan = await createLogitsPlan(this.#gpu, this.schedule, this.decoder, this.#prefillChunk, buffer);
      for (let position = 0; position < tokenIds.length; position += LOGITS_ROWS) {
        const chunk = tokenIds.slice(position, position + LOGITS_ROWS);
        submitDispatches(this.#gpu.device, "logits", this.#chunkDispatches(chunk, position), planForRows(plan, chunk.length));
        const rows = new Float32Array(await this.#gpu.untilLost(readBuffer(this.#gpu.device, buffer, chunk.length * vocabSize * 4)));
        all.set(rows, position * vocabSize);
        this.#gpu.throwIfFaulty();
      }
      return all;
    } finally {
      this.#gpu.free(buffer);
    }
  }

  /** Free what the runner allocated; weights and cache belong to others. */
  destroy(): void {
    freeActivations(this.#gpu, this.#decodeRow, this.#prefillChunk);
    freeSampler(this.#gpu, this.#sampler);
  }

  #planFor(length: number): DecodePlan {
    const plan = this.#decodePlans.get(this.schedule.splits(length));
    if (!plan) throw new Error(`no decode plan for ${length} tokens`);
    return plan;
  }

  #chunkDispatches(tokenIds: readonly number[], position: number): Dispatch[] {
    const rows = new Uint32Array(this.prefillRows * 4);
    for (const [row, tokenId] of tokenIds.entries()) rows.set([SLOT, position + row, tokenId, 1], 4 * row);
    this.#gpu.device.queue.writeBuffer(this.#prefillChunk.rows, 0, rows);
    return planForRows(this.#prefillPlan, tokenIds.length);
  }
}
