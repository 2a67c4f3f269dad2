/** One file of a checkpoint, read by byte range, wherever its bytes are. */
export interface CheckpointFile {
  readonly name: string;
  readonly byteLength: number;
  /** Read bytes `begin` to `end` (exclusive) into memory. */
  read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Yield bytes `begin` to `end` (exclusive) in order, in slices of the source's choosing, holding one or two of them. A slice
   * is good until the next is asked for: copy it before that, and do not transfer it.
   */
  stream(begin: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Whether what was read of weights files was right; "repaired" means that it was not, and is now: read it again. */
export type Verdict = "sound" | "repaired";

/** A checkpoint: a named set of files. */
export interface Checkpoint {
  /** What was asked for: a Hub id, a URL ending in "/", or "files". */
  readonly id: string;
  /** Open a file, or resolve to undefined when the checkpoint does not have it. */
  open(name: string, signal?: AbortSignal): Promise<CheckpointFile | undefined>;
  /** Names of all its files, paths from its folder; undefined for a folder whose server does not tell. */
  list(signal?: AbortSignal): Promise<readonly string[] | undefined>;
  /**
   * Wait until every opened file is whole and checked. Weights are handed on while they arrive, before the whole can be
   * checked, so nothing made of them may be used before this resolves to "sound".
   */
  verify(signal?: AbortSignal): Promise<Verdict>;
}

/** What has been read of one file so far. */
export interface FileProgress {
  file: string;
  loadedBytes: number;
  totalBytes: number;
  fromCache: boolean;
  /** Set while the server sends next to nothing. */
  slow?: true;
}
