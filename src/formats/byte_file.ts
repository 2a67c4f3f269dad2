/** A named file that can be read by byte range; every `CheckpointFile` is one. */
export interface ByteFile {
  readonly name: string;
  readonly byteLength: number;
  /** Read bytes `begin` to `end` (exclusive). */
  read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** A named set of files; every `Checkpoint` is one. */
export interface FileSet<F extends ByteFile = ByteFile> {
  readonly id: string;
  /** Open a file, or resolve to undefined when the set does not have it. */
  open(name: string, signal?: AbortSignal): Promise<F | undefined>;
  /** Names of all its files; undefined where nobody tells them. */
  list(signal?: AbortSignal): Promise<readonly string[] | undefined>;
}
