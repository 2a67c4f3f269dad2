import { HearthError } from "../errors.ts";

import type { ByteFile, FileSet } from "./byte_file.ts";
import { isJsonObject, scanJson, type JsonValue } from "./json_scanner.ts";
import { readSafetensorsHeader, type SafetensorsHeader } from "./safetensors.ts";

/** One opened weights file and its checked header. */
export interface WeightFile<F extends ByteFile = ByteFile> {
  file: F;
  header: SafetensorsHeader;
}

/** The opened weights files of a checkpoint, and the index that named them, if there was one. */
export interface ChosenWeightFiles<F extends ByteFile = ByteFile> {
  files: F[];
  /** Tensor name to file name; undefined for a checkpoint of one file. */
  index: Map<string, string> | undefined;
}

const INDEX_FILE = "model.safetensors.index.json";
const SINGLE_FILE = "model.safetensors";
const MAX_INDEX_BYTES = 24 * 1024 * 1024; // three times the index of the largest checkpoints seen
const MAX_VALUES = 250_000; // of the index's JSON; the largest have a tensor each for 92,000
const MAX_SHARDS = 10_000; // far past any real checkpoint; each shard costs a request

/** Map each tensor name to the shard that holds it. */
export function parseShardIndex(text: string, fileName = INDEX_FILE): Map<string, string> {
  if (text.length > MAX_INDEX_BYTES) {
    corrupt(fileName, `expected at most ${MAX_INDEX_BYTES} characters, found ${text.length}`);
  }
  const root = scanJson(text, { fileName, numbers: "python", maxValues: MAX_VALUES });
  const weightMap = isJsonObject(root) ? new Map(root.entries).get("weight_map") : undefined;
  if (!isJsonObject(weightMap)) corrupt(fileName, "expected an object weight_map");
  const index = new Map(weightMap.entries.map(([tensor, shard]) => [tensor, checkShardName(tensor, shard, fileName)]));
  if (index.size === 0) corrupt(fileName, "expected weight_map to name at least one tensor");
  const shards = new Set(index.values()).size;
  if (shards > MAX_SHARDS) corrupt(fileName, `expected at most ${MAX_SHARDS} shards, found ${shards}`);
  return index;
}

/** Open the weights files of a checkpoint: those that the index names, else the single file, by whatever name it has. */
export async function chooseWeightFiles<F extends ByteFile>(
  checkpoint: FileSet<F>,
  signal?: AbortSignal,
): Promise<ChosenWeightFiles<F>> {
  const indexFile = await checkpoint.open(INDEX_FILE, signal);
  if (indexFile !== undefined) {
    const index = parseShardIndex(await readText(indexFile, signal));
    const names = [...new Set(index.values())].sort();
    const files: F[] = [];
    for (const name of names) files.push(await openShard(checkpoint, name, signal));
    return { files, index };
  }
  const single = (await checkpoint.open(SINGLE_FILE, signal)) ?? (await openOtherSingle(checkpoint, signal));
  return { files: [single], index: undefined };
}

/** Open the one safetensors file of a checkpoint that has neither of the usual names, as of many that were quantised by GPTQ. */
async function openOtherSingle<F extends ByteFile>(checkpoint: FileSet<F>, signal: AbortSignal | undefined): Promise<F> {
  const listed = await checkpoint.list(signal);
  const others = listed?.filter((name) => name.endsWith(".safetensors") && !name.includes("/")) ?? [];
  const file = others.length === 1 ? await checkpoint.open(others[0], signal) : undefined;
  if (file !== undefined) return file;
  const found = others.length > 1 ? `several others (${others.slice(0, 3).join(", ")}): an index must say which belong together` : "neither";
  const names = listed === undefined ? "; in a folder that does not list its files, weights must have one of these names" : ", or one other .safetensors file";
  throw new HearthError(
    "file-not-found",
    `${checkpoint.id}: expected ${SINGLE_FILE} or ${INDEX_FILE}${names}; found ${found}. Hearth reads safetensors only (no .bin, .pth or .gguf)`,
  );
}

/** Open every weights file of a checkpoint and check its header against the index. */
export async function readWeightMap<F extends ByteFile>(
  checkpoint: FileSet<F>,
  signal?: AbortSignal,
): Promise<WeightFile<F>[]> {
  const { files, index } = await chooseWeightFiles(checkpoint, signal);
  const weightFiles: WeightFile<F>[] = [];
  for (const file of files) weightFiles.push({ file, header: await readSafetensorsHeader(file, signal) });
  if (index !== undefined) checkAgainstIndex(weightFiles, index);
  return weightFiles;
}

function checkShardName(tensor: string, shard: JsonValue, fileName: string): string {
  const subject = `${fileName}: tensor "${tensor}"`;
  if (typeof shard !== "string" || shard === "") corrupt(subject, "expected the name of a shard");
  // A shard lies beside its index: a name with a path could reach anything on the server.
  if (/[/\\\u0000-\u001f]/.test(shard) || shard.includes("..")) {
    corrupt(subject, `expected a plain file name, found ${JSON.stringify(shard)}`);
  }
  return shard;
}

async function openShard<F extends ByteFile>(
  checkpoint: FileSet<F>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<F> {
  const file = await checkpoint.open(name, signal);
  if (file !== undefined) return file;
  throw new HearthError(
    "file-not-found",
    `${checkpoint.id}: ${name} is named by ${INDEX_FILE} but missing; check that the checkpoint was copied whole`,
  );
}

async function readText(file: ByteFile, signal: AbortSignal | undefined): Promise<string> {
  if (file.byteLength > MAX_INDEX_BYTES) {
    corrupt(file.name, `expected at most ${MAX_INDEX_BYTES} bytes, found ${file.byteLength}`);
  }
  return new TextDecoder().decode(await file.read(0, file.byteLength, signal));
}

function checkAgainstIndex(weightFiles: readonly WeightFile[], index: ReadonlyMap<string, string>): void {
  const headers = new Map(weightFiles.map(({ file, header }) => [file.name, header]));
  for (const [tensor, shard] of index) {
    if (headers.get(shard)?.tensors.has(tensor)) continue;
    corrupt(shard, `expected tensor "${tensor}" as ${INDEX_FILE} says, found no such tensor; the files do not belong together`);
  }
}

function corrupt(subject: string, problem: string): never {
  throw new HearthError("corrupt-checkpoint", `${subject}: ${problem}`);
}
