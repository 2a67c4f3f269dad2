import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import { readWeightMap, type WeightFile } from "../formats/shard_index.ts";
import { Gpu } from "../gpu/gpu.ts";
import type { DecoderSpec } from "../kernels/decoder_spec.ts";
import { createRopeTables } from "../kernels/decoder_weights.ts";
import { createKvCache } from "../kernels/kv_cache.ts";
import type { Checkpoint, CheckpointFile, FileProgress } from "../storage/checkpoint.ts";
import { guarded } from "../storage/connection.ts";
import { holdStoredModel, trimStoredModels } from "../storage/eviction.ts";
import { missingBytes } from "../storage/file_record.ts";
import { openKeptResults } from "../storage/kept_results.ts";
import { controllerUnder } from "../storage/retry.ts";
import { openShardStore, type ShardStore } from "../storage/shard_store.ts";
import { openCheckpoint } from "../storage/source.ts";
import type { TextFiles } from "../text/text_service.ts";
import { loadText, type CheckpointText, type TextHost } from "./checkpoint_text.ts";
import { DeviceModel, type DevicePart } from "./device_model.ts";
import { checkLoadOptions, planContext, planWeights, readConfig } from "./load_plan.ts";
import { loadWeights, type LoadingWeights } from "./load_weights.ts";
import type { LoadOptions, LoadProgress, ModelSource } from "./options.ts";
import type { Quantize } from "./quantize_choice.ts";
import type { Runner } from "./runner.ts";
import { isSyntheticId, syntheticConfig, syntheticWeights } from "./synthetic.ts";
import { Tuning, type TuningOptions } from "./tuning.ts";

/** What the caller of a load brings along. */
export interface LoadHooks {
  /** What relative sources are relative to. */
  baseUrl: string;
  /** Starts what encodes and renders, on a thread that may be ended: a checkpoint's template and patterns are code. */
  startText(files: TextFiles): Promise<TextHost>;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
  /** How a first load is tuned. Default: on hardware only, in about half a second. */
  tuning?: Pick<TuningOptions, "tunes" | "budgetMs">;
}

/** A model ready to run: what the page's memory keeps of it, and what its device does. */
export interface LoadedModel {
  id: string;
  config: ModelConfig;
  text: CheckpointText | undefined;
  device: DeviceModel;
  contextLength: number;
  /** What float weights became while they loaded. */
  quantize: Quantize;
  tuning: Tuning;
}

/** Begins to put a model's weights on a GPU. */
type LoadOntoGpu = (gpu: Gpu, spec: DecoderSpec, signal?: AbortSignal) => Promise<LoadingWeights>;

/** Builds a device's part again after a loss: what is read again may come wrong again. */
type Rebuild = (build: () => Promise<DevicePart>, signal?: AbortSignal) => Promise<DevicePart>;

/** What a model is built of. */
interface ModelParts {
  id: string;
  config: ModelConfig;
  text: CheckpointText | undefined;
  options: LoadOptions;
  load: LoadOntoGpu;
  rebuild: Rebuild;
}

/** Load a model: small files first, so that what cannot run is refused before any weight byte moves. */
export async function loadModel(source: ModelSource, options: LoadOptions, hooks: LoadHooks): Promise<LoadedModel> {
  checkLoadOptions(options);
  if (typeof source === "string" && isSyntheticId(source)) {
    const load: LoadOntoGpu = async (gpu, spec) => ({ spec, weights: await syntheticWeights(gpu, spec), filled: Promise.resolve() });
    return buildModel({ id: source, config: syntheticConfig(source), text: undefined, options, load, rebuild: (build) => build() }, hooks);
  }
  const { signal, onProgress } = hooks;
  const progress = new ProgressTotal(onProgress);
  const store = typeof source === "string" ? await storeFor(options) : undefined;
  const onStorageError = options.store === "required" ? undefined : (error: HearthError) => console.warn(`Hearth: ${error.message} The model loads without being stored.`);
  const checkpoint = openCheckpoint(source, {
    revision: options.revision,
    token: options.token,
    endpoint: options.endpoint,
    baseUrl: hooks.baseUrl,
    store,
    onProgress: (file) => progress.report(file),
    onStorageError,
  });
  if (store) await holdStoredModel(checkpoint.id, signal);
  const config = await readConfig(checkpoint, signal);
  const text = await loadText(checkpoint, config, hooks.startText, signal);
  try {
    const model = await buildSound({ checkpoint, signal, destroy: ({ device }) => device.destroy() }, async () => {
      const files = await readWeightMap(checkpoint, signal);
      const weights = await planWeights(checkpoint, config, files, options, signal);
      progress.startWeights(files.map(({ file }) => file));
      if (store) await guarded(onStorageError, () => makeRoom(store, checkpoint.id, files, options));
      const load: LoadOntoGpu = (gpu, spec, buildSignal) => loadWeights(gpu, spec, files, { ...weights, signal: buildSignal });
      const rebuild: Rebuild = (build, rebuildSignal) => buildSound({ checkpoint, signal: rebuildSignal, destroy: ({ gpu }) => gpu.destroy() }, build);
      return buildModel({ id: checkpoint.id, config, text, options: { ...options, quantize: weights.quantize ?? "none" }, load, rebuild }, hooks);
    });
    progress.end();
    onProgress?.({ phase: "ready", file: "", loadedBytes: progress.totalBytes, totalBytes: progress.totalBytes, fromCache: progress.fromCache });
    return model;
  } catch (error) {
    text?.host.close();
    throw error;
  }
}

/** Of what something is built, and how it is given up. */
interface Building<T> {
  checkpoint: Checkpoint;
  signal: AbortSignal | undefined;
  destroy(built: T): void;
}

/** Build something of weights that proved to be what the checkpoint's server promises, again if they had to be repaired. */
async function buildSound<T>({ checkpoint, signal, destroy }: Building<T>, build: () => Promise<T>): Promise<T> {
  for (;;) {
    const built = await build();
    try {
      if ((await checkpoint.verify(signal)) === "sound") return built;
    } catch (error) {
      destroy(built);
      throw error;
    }
    destroy(built);
  }
}

/** Put a model on a device, and keep what it takes to do so again. */
async function buildModel(
  { id, config, text, options, load, rebuild }: ModelParts, { signal, tuning: { tunes, budgetMs } = { tunes: isHardware } }: LoadHooks,
): Promise<LoadedModel> {
  let contextLength = options.contextLength;
  let isBuilt = false; // the first build is checked by whoever asked for the model, because headers may prove wrong too
  const tuning = new Tuning({
    tunes: (gpu) => options.tune !== false && tunes(gpu),
    kept: options.store === "none" ? undefined : openKeptResults(),
    budgetMs,
    inputBits: options.prefillBits ?? 16,
  });
  const device = new DeviceModel((buildSignal) => (isBuilt ? rebuild(() => build(buildSignal), buildSignal) : build(buildSignal)));
  await device.part(signal);
  isBuilt = true;
  if (contextLength === undefined) throw new Error("a device was built without a context");
  return { id, config, text, device, contextLength, quantize: options.quantize ?? "none", tuning };

  async function build(buildSignal: AbortSignal | undefined): Promise<DevicePart> {
    const gpu = await Gpu.open();
    const loadController = controllerUnder(buildSignal);
    let filled: Promise<void> | undefined;
    try {
      const plan = planContext(gpu, config, { ...options, contextLength });
      const loading = await load(gpu, plan.spec, loadController.signal);
      filled = loading.filled;
      const runner = await createRunner(gpu, loading, options, plan.contextLength, tuning);
      gpu.throwIfFaulty();
      contextLength = plan.contextLength; // the next device has to hold as much
      return { gpu, runner };
    } catch (error) {
      const reason = buildSignal?.aborted ? error : await gpu.explain(error);
      loadController.abort(reason);
      await filled?.catch(() => {}); // or it would still write to buffers that are gone
      gpu.destroy();
      throw reason;
    }
  }
}

function isHardware({ traits }: Gpu): boolean {
  return !traits.isSoftware;
}

/** Kernels compile while the weights arrive. */
async function createRunner(gpu: Gpu, { spec, weights, filled }: LoadingWeights, options: LoadOptions, contextLength: number, tuning: Tuning): Promise<Runner> {
  const ropes = await createRopeTables(gpu, spec, contextLength);
  const cache = await createKvCache(gpu, spec, options.kvCache ?? "f16", contextLength, 1);
  return tuning.createRunner(gpu, { spec, weights, ropes, cache }, contextLength, filled);
}

async function storeFor({ store }: LoadOptions): Promise<ShardStore | undefined> {
  const opened = store === "none" ? undefined : await openShardStore();
  if (opened || store !== "required") return opened;
  throw new HearthError("storage", "store: this page has no storage that works (a private window?), and the option says that it is required");
}

/** Remove other models until there is room for what is still to be stored of this one; it is held, so it stays. */
async function makeRoom(store: ShardStore, id: string, files: readonly WeightFile<CheckpointFile>[], { storageBudget }: LoadOptions): Promise<void> {
  if (storageBudget === undefined) return;
  const wanted = missingBytes(files.map(({ file }) => file), await store.records(id));
  await trimStoredModels(Math.max(0, storageBudget - wanted), store);
}

/** Adds up the progress of single files into that of the load. */
class ProgressTotal {
  readonly #onProgress: ((progress: LoadProgress) => void) | undefined;
  readonly #loaded = new Map<string, number>();
  #weightFiles: ReadonlySet<string> = new Set();
  totalBytes = 0;
  fromCache = true;
  #isOver = false;

  constructor(onProgress: ((progress: LoadProgress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  /** From here on, progress is that of these files together. */
  startWeights(files: readonly { name: string; byteLength: number }[]): void {
    this.#weightFiles = new Set(files.map(({ name }) => name));
    this.totalBytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** From here on reads are those of a recovery, which is no load. */
  end(): void {
    this.#isOver = true;
  }

  report({ file, loadedBytes, totalBytes, fromCache, slow }: FileProgress): void {
    if (this.#isOver) return;
    if (!this.#weightFiles.has(file)) {
      // A weights file whose header is being read has not started yet.
      if (!file.endsWith(".safetensors")) this.#onProgress?.({ phase: "config", file, loadedBytes, totalBytes, fromCache, slow });
      return;
    }
    this.#loaded.set(file, loadedBytes);
    this.fromCache &&= fromCache;
    const sum = [...this.#loaded.values()].reduce((total, bytes) => total + bytes, 0);
    this.#onProgress?.({ phase: "weights", file, loadedBytes: sum, totalBytes: this.totalBytes, fromCache, slow });
  }
}
