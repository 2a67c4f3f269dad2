import type { Checkpoint, CheckpointFile, FileProgress } from "./checkpoint.ts";

const SLICE_BYTES = 4 * 1024 * 1024; // few calls per gigabyte, little memory

/** A checkpoint of files that the user picked or dropped; nothing is fetched or stored. */
export function pickedCheckpoint(files: readonly File[], onProgress?: (progress: FileProgress) => void): Checkpoint {
  // A picked folder gives every file a path that begins with the folder; checkpoints are flat, so the name is enough.
  const byName = new Map(files.map((file) => [file.name, pickedFile(file, onProgress)]));
  return { id: "files", open: async (name) => byName.get(name), list: async () => [...byName.keys()], verify: async () => "sound" };
}

function pickedFile(file: File, onProgress: ((progress: FileProgress) => void) | undefined): CheckpointFile {
  let loadedBytes = 0;
  async function read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    const bytes = new Uint8Array(await file.slice(begin, end).arrayBuffer());
    signal?.throwIfAborted();
    loadedBytes = Math.max(loadedBytes, end);
    onProgress?.({ file: file.name, loadedBytes, totalBytes: file.size, fromCache: false });
    return bytes;
  }
  async function* stream(begin: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let position = begin; position < end; position += SLICE_BYTES) {
      yield await read(position, Math.min(end, position + SLICE_BYTES), signal);
    }
  }
  return { name: file.name, byteLength: file.size, read, stream };
}
