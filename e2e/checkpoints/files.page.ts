// Runs in a page: checkpoints as lists of files, whole and damaged, through the public API.
import { HearthError, loadModel } from "../../src/index.ts";
import { randomCheckpoint, type GoldenCase } from "../support/random_checkpoint.ts";
import { readTensors, shardFiles, tensorFile, type Tensor } from "./checkpoint_files.ts";

/** What a spec does to a sound checkpoint before it is loaded. */
export interface Damage {
  /** Tensors to leave out. */
  without?: string[];
  /** Tensors to add or replace, filled with zeros. */
  with?: { name: string; dtype: string; shape: number[] }[];
  /** Keys of config.json to set. */
  config?: Record<string, unknown>;
  /** Cut the weights into this many shards, with an index. */
  shards?: number;
  /** Files to leave out after that. */
  withoutFiles?: string[];
  /** Bytes to cut off the end of the last file. */
  cutBytes?: number;
}

/** How a load failed. */
export interface Failure {
  code: string;
  message: string;
}

const BYTES = { F32: 4, F16: 2, I32: 4, U32: 4 };

async function goldenCase(): Promise<GoldenCase> {
  return (await (await fetch("/e2e/goldens/llama.json")).json()) as GoldenCase;
}

async function damagedCheckpoint(golden: GoldenCase, damage: Damage): Promise<File[]> {
  const [, weights] = randomCheckpoint(golden);
  const tensors = await readTensors(weights);
  for (const name of damage.without ?? []) tensors.delete(name);
  for (const { name, dtype, shape } of damage.with ?? []) tensors.set(name, zeros(dtype, shape));
  const weightFiles = damage.shards === undefined ? [tensorFile("model.safetensors", tensors)] : shardFiles(tensors, damage.shards);
  const files = [new File([JSON.stringify({ ...golden.config, ...damage.config })], "config.json"), ...weightFiles];
  const left = files.filter(({ name }) => !damage.withoutFiles?.includes(name));
  const last = left.pop()!; // config.json is always there
  return [...left, damage.cutBytes === undefined ? last : new File([last.slice(0, last.size - damage.cutBytes)], last.name)];
}

function zeros(dtype: string, shape: number[]): Tensor {
  const bytesEach = BYTES[dtype as keyof typeof BYTES];
  return { dtype, shape, bytes: new Uint8Array(shape.reduce((product, size) => product * size, bytesEach)) };
}

/** Load damaged checkpoints one after another, and tell how each load failed. */
export async function loadDamaged(damages: Damage[]): Promise<(Failure | "loaded")[]> {
  const golden = await goldenCase();
  const failures: (Failure | "loaded")[] = [];
  for (const damage of damages) failures.push(await failureOf(await damagedCheckpoint(golden, damage)));
  return failures;
}

/** Load from anywhere, and tell how that failed. */
export async function failureOf(source: string | File[]): Promise<Failure | "loaded"> {
  try {
    await using _model = await loadModel(source);
    return "loaded";
  } catch (error) {
    if (!(error instanceof HearthError)) throw error;
    return { code: error.code, message: error.message };
  }
}

/** The largest difference of a sharded checkpoint's logits from those of transformers. */
export async function shardedDeviation(shards: number): Promise<number> {
  const golden = await goldenCase();
  const expected = new Float32Array(await (await fetch("/e2e/goldens/llama.f32")).arrayBuffer());
  await using model = await loadModel(await damagedCheckpoint(golden, { shards }), { kvCache: "f32" });
  const logits = await model.logits(golden.tokens10); // the golden file's first ten rows
  return Math.max(...logits.map((value, i) => Math.abs(value - expected[i])));
}
