import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import { readWeightMap, type WeightFile } from "../formats/shard_index.ts";
import { Gpu } from "../gpu/gpu.ts";
import { Uploader } from "../gpu/upload.ts";
import { ropeTableBytes, weightBytes } from "../kernels/decoder_weights.ts";
import { createKvCache } from "../kernels/kv_cache.ts";
import { chooseSchedule } from "../kernels/schedule.ts";
import type { CheckpointFile } from "../storage/checkpoint.ts";
import { isComplete, missingBytes } from "../storage/file_record.ts";
import { openShardStore } from "../storage/shard_store.ts";
import { openCheckpoint } from "../storage/source.ts";
import { checkLoadOptions, planContext, planWeights, readConfig } from "./load_plan.ts";
import { prepareWeights, type WeightOptions } from "./load_weights.ts";
import { memoryBudget } from "./memory_budget.ts";
import type { FitReport, LoadOptions, ModelMemory, ModelSource } from "./options.ts";
import { allocateRun } from "./runner.ts";

const SAFE_SHARE = 0.6; // of a device's memory: the page, its pictures and the browser take the rest

/** Find out whether a checkpoint runs here and what it takes, from its config and the headers of its files; no weight is read. */
export async function checkModel(source: ModelSource, options: LoadOptions, baseUrl: string, signal?: AbortSignal): Promise<FitReport> {
  checkLoadOptions(options);
  const store = await openShardStore();
  const records = (await store?.records()) ?? [];
  const open = (kept: typeof store) => openCheckpoint(source, { revision: options.revision, token: options.token, endpoint: options.endpoint, baseUrl, store: kept });
  const { id } = open(undefined);
  const known = records.filter(({ checkpoint }) => checkpoint === id);
  // A look at a model is no reason to download it, which reading from a store does where it is not whole.
  const checkpoint = open(known.length > 0 && known.every(isComplete) ? store : undefined);
  const report: FitReport = { id, fits: "yes", reasons: [], modelType: undefined, downloadBytes: undefined, freeStorageBytes: await freeStorage(), memory: undefined };
  try {
    const config = await readConfig(checkpoint, signal);
    report.modelType = config.modelType;
    const files = await readWeightMap(checkpoint, signal);
    report.downloadBytes = typeof source === "string" ? missingBytes(files.map(({ file }) => file), known) : 0; // nothing is fetched of picked files
    report.memory = await measureMemory(config, files, options, await planWeights(checkpoint, config, files, options, signal));
  } catch (error) {
    if (!(error instanceof HearthError) || !SAYS_NO.has(error.code)) throw error;
    return { ...report, fits: "no", reasons: [error.message] };
  }
  return judge(report, report.memory);
}

const SAYS_NO: ReadonlySet<HearthError["code"]> = new Set(["no-webgpu", "unsupported-checkpoint", "out-of-memory"]);

/** Go through a load with the real recipe, on a device that counts instead of allocating. */
async function measureMemory(config: ModelConfig, files: readonly WeightFile<CheckpointFile>[], options: LoadOptions, weights: WeightOptions): Promise<ModelMemory> {
  const gpu = await Gpu.open({ countsOnly: true });
  try {
    const plan = planContext(gpu, config, options);
    const uploader = await Uploader.create(gpu);
    const prepared = await prepareWeights(gpu, uploader, plan.spec, files, weights);
    const cache = await createKvCache(gpu, prepared.spec, options.kvCache ?? "f16", plan.contextLength, 1);
    await allocateRun(gpu, chooseSchedule(gpu.traits), prepared, plan.contextLength);
    gpu.throwIfFaulty();
    return {
      totalBytes: gpu.allocatedBytes + ropeTableBytes(prepared.spec, plan.contextLength),
      weightBytes: weightBytes(prepared.weights),
      kvCacheBytes: cache.byteLength,
      contextLength: plan.contextLength,
    };
  } finally {
    gpu.destroy();
  }
}

function judge(report: FitReport, { totalBytes }: ModelMemory): FitReport {
  const { freeStorageBytes, downloadBytes = 0 } = report;
  const budget = memoryBudget();
  const reasons: string[] = [];
  let fits: FitReport["fits"] = "yes";
  if (budget !== undefined && totalBytes > SAFE_SHARE * budget) {
    fits = totalBytes > budget ? "no" : "risky";
    reasons.push(`It takes ${gigabytes(totalBytes)} of memory; this device is likely to end a page that takes more than ${gigabytes(SAFE_SHARE * budget)}. Pick a smaller model or contextLength.`);
  }
  if (freeStorageBytes !== undefined && downloadBytes > freeStorageBytes) {
    reasons.push(`${gigabytes(downloadBytes)} are to be downloaded, and this browser stores ${gigabytes(freeStorageBytes)} more; the model would be downloaded again at every visit.`);
  }
  return { ...report, fits, reasons };
}

function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

async function freeStorage(): Promise<number | undefined> {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
}
