import type { Gpu } from "../gpu/gpu.ts";
import { layerMatrices } from "../kernels/decoder_weights.ts";
import type { Decoder } from "../kernels/layer_steps.ts";
import { cutSchedule, isSameCut, otherCuts, usualCut, type ProductCut, type Schedule } from "../kernels/schedule.ts";
import { formatWords, type Matrix } from "../quant/matrix.ts";
import type { KeptResults } from "../storage/kept_results.ts";
import { measureCuts } from "./measure_cuts.ts";
import type { ScheduleInfo } from "./options.ts";
import { Runner } from "./runner.ts";
import { createTestedRunner, schedulesFor } from "./self_test.ts";

declare const KERNELS_VERSION: string; // a hash of the kernels' sources and the library's version, defined in vite.config.ts

const BUDGET_MS = 340; // half a second with the kernels that the choice makes of the rest of the model

/** How a model's devices are tuned. */
export interface TuningOptions {
  /** Whether this GPU is tuned; else everything runs as usual there. */
  tunes: (gpu: Gpu) => boolean;
  /** Where the choice is kept between visits. */
  kept: KeptResults | undefined;
  budgetMs?: number;
  /** Bits that prefill's inputs keep at least. */
  inputBits: 8 | 16;
}

/** Chooses how decoding's products are cut for one model: kept from an earlier visit, or measured on its first device, or as usual. */
export class Tuning {
  readonly #options: TuningOptions;
  #choice: ScheduleInfo | undefined;

  constructor(options: TuningOptions) {
    this.#options = options;
  }

  /** What runs on the device that was prepared last. */
  get choice(): ScheduleInfo {
    if (!this.#choice) throw new Error("no device was prepared yet");
    return this.#choice;
  }

  /** Prepare to run a decoder by the best cut that computes rightly on this GPU, once its weights are there. */
  async createRunner(gpu: Gpu, decoder: Decoder, contextLength: number, filled: Promise<void>): Promise<Runner> {
    const schedules = schedulesFor(gpu.traits, this.#options.inputBits);
    const usual = usualCut(gpu.traits);
    const cuts = [usual, ...otherCuts(usual, schedules[0].subgroups ? usual.leastLanes : 1, gpu.traits)]; // a stream holds whole subgroups
    const create = (isChecked = false) => this.#createChosen(gpu, schedules, decoder, contextLength, filled, isChecked);
    const place = placeOf(gpu, decoder);
    const tunes = this.#options.tunes(gpu);
    if (tunes) this.#choice ??= await this.#recall(place, cuts);
    if (this.#choice) return create();
    this.#choice = { ...usual, origin: "usual" }; // also for the next device, should measuring lose this one
    const runner = await create();
    if (!tunes || runner.schedule !== schedules[0]) return runner;
    const started = performance.now();
    this.#choice = await this.#measure(gpu, runner, contextLength, cuts, place);
    const isUsual = isSameCut(this.#choice, usual);
    if (!isUsual) runner.destroy();
    const tuned = isUsual ? runner : await create(true);
    this.#choice = { ...this.#choice, tuneMs: performance.now() - started };
    return tuned;
  }

  /** By the cut that was chosen, or as usual should it not compute rightly; one just measured was checked then, on the same weights. */
  async #createChosen(
    gpu: Gpu, schedules: readonly Schedule[], decoder: Decoder, contextLength: number, filled: Promise<void>, isChecked: boolean,
  ): Promise<Runner> {
    const usual = usualCut(gpu.traits);
    if (isSameCut(this.choice, usual)) return createTestedRunner(gpu, schedules, decoder, contextLength, filled);
    const chosen: Schedule = { ...schedules[0], ...cutSchedule(this.choice, gpu.traits) };
    try {
      if (isChecked) return await Runner.create(gpu, chosen, decoder, contextLength);
      const runner = await createTestedRunner(gpu, [chosen, ...schedules], decoder, contextLength, filled);
      if (runner.schedule !== chosen) this.#choice = { ...usual, origin: "usual" };
      return runner;
    } catch (error) {
      gpu.throwIfFaulty();
      console.warn(`Hearth: kernels tuned to this GPU could not be prepared (${String(error)}); they run as usual.`);
      this.#choice = { ...usual, origin: "usual" };
      return createTestedRunner(gpu, schedules, decoder, contextLength, filled);
    }
  }

  /** Measuring may fail in any way but one: a device that it lost has to be replaced. */
  async #measure(gpu: Gpu, { schedule, decoder }: Runner, contextLength: number, cuts: readonly ProductCut[], place: string): Promise<ScheduleInfo> {
    try {
      await this.#keep(place, { ...cuts[0], origin: "usual" }); // a cut that takes the browser down is not tried at every visit
      const { cut, gain, timed } = await gpu.guard(() => measureCuts(gpu, schedule, decoder, contextLength, cuts, this.#options.budgetMs ?? BUDGET_MS));
      const choice: ScheduleInfo = timed > 0 ? { ...cut, origin: "measured", gain, timed } : { ...cuts[0], origin: "usual" };
      // A driver that had no time to compile another cut has it in its own cache at the next visit.
      await this.#keep(place, timed > 0 ? choice : undefined);
      return choice;
    } catch (error) {
      gpu.throwIfFaulty();
      console.warn(`Hearth: kernels could not be tuned to this GPU (${String(error)}); they run as usual.`);
      return { ...cuts[0], origin: "usual" };
    }
  }

  async #recall(place: string, cuts: readonly ProductCut[]): Promise<ScheduleInfo | undefined> {
    try {
      const kept = (await this.#options.kept?.get(place, KERNELS_VERSION)) as ScheduleInfo | undefined; // only `#keep` writes there
      return kept && cuts.some((cut) => isSameCut(cut, kept)) ? { ...kept, origin: "kept" } : undefined;
    } catch (error) {
      console.warn(`Hearth: what was measured on this GPU could not be read (${String(error)}).`);
      return undefined;
    }
  }

  async #keep(place: string, choice: ScheduleInfo | undefined): Promise<void> {
    await this.#options.kept?.put(place, KERNELS_VERSION, choice);
  }
}

/** What a choice is good for: this adapter, and models of these matrices. */
function placeOf({ adapterInfo, traits }: Gpu, { spec, weights }: Decoder): string {
  const { vendor, architecture, device, description } = adapterInfo;
  const matrices = [...weights.layers.flatMap(layerMatrices), weights.head].map(matrixWords);
  const attentions = spec.layers.map(({ attention }) => (attention ? `${attention.heads}/${attention.kvHeads} heads of ${attention.headDim}` : "no attention"));
  const shape = { hiddenSize: spec.hiddenSize, layers: spec.layers.length, attentions: [...new Set(attentions)], matrices: [...new Set(matrices)] };
  return JSON.stringify({ vendor, architecture, device, description, ...traits, ...shape });
}

function matrixWords({ columns, parts }: Matrix): string {
  return parts.map(({ rows, format }) => `${rows} x ${columns}, ${formatWords(format)}`).join("; ");
}
