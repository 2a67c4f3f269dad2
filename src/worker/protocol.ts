import type { BenchmarkOptions, BenchmarkReport, FitReport, GenerateOptions, GenerationResult, LoadOptions, LoadProgress } from "../engine/options.ts";
import type { ModelInfo, ModelSource, Prompt, TextChunk } from "../engine/options.ts";
import type { HearthErrorCode, HearthErrorDetails } from "../errors.ts";
import type { StoredModel } from "../storage/stored_models.ts";

// Types only: what crosses between the page and the worker. The page's side imports the engine's types from here.

export type { BenchmarkOptions, BenchmarkReport, FinishReason, FitReport, GenerateOptions, GenerationResult } from "../engine/options.ts";
export type { LoadOptions, LoadProgress, ModelInfo, ModelSource, Prompt, TextChunk } from "../engine/options.ts";
export type { StoredModel } from "../storage/stored_models.ts";

/** What the worker offers over Comlink. One worker holds at most one model. */
export interface WorkerApi {
  /** Hold a Web Lock for as long as the worker lives, so that the page notices its end; resolves once it is held. */
  holdLock(name: string): Promise<void>;
  /** A sign of life. */
  ping(): void;
  /** Load the worker's model; progress and outcome go through the port, so that they arrive in order. Text workers come from the spawner. */
  load(source: ModelSource, options: LoadOptions, baseUrl: string, port: MessagePort, spawner: MessagePort): void;
  /** Find out whether a model fits, without loading it. */
  checkModel(source: ModelSource, options: LoadOptions, baseUrl: string, aborter: MessagePort): Promise<FitReport>;
  /** Generate an answer after those already asked for; text and outcome go through the port. */
  generate(prompt: Prompt, options: GenerateOptions, port: MessagePort): void;
  countTokens(prompt: Prompt): Promise<number>;
  /** One row of logits per input position, row-major. */
  logits(tokenIds: readonly number[], aborter: MessagePort): Promise<Float32Array<ArrayBuffer>>;
  benchmark(options: BenchmarkOptions, aborter: MessagePort): Promise<BenchmarkReport>;
  /** Stop everything that runs or waits, then release the GPU. */
  unload(): Promise<void>;
  listStoredModels(): Promise<StoredModel[]>;
  removeStoredModel(id: string): Promise<void>;
  pinStoredModel(id: string, isPinned: boolean): Promise<void>;
  trimStoredModels(budgetBytes: number): Promise<StoredModel[]>;
  /** A stored model as one file; the worker must live until the stream ends. */
  exportStoredModel(id: string): Promise<ReadableStream<Uint8Array>>;
  importStoredModel(archive: Blob): Promise<string>;
}

/** What the worker says to the page's spawner: start a text worker, which serves one port; on the other the page tells why it failed, and any message ends it. */
export interface SpawnMessage {
  service: MessagePort;
  control: MessagePort;
}

/** What the worker says on a load port. */
export type LoadMessage =
  | { type: "progress"; progress: LoadProgress }
  | { type: "loaded"; info: ModelInfo }
  | { type: "failed"; error: WireError };

/** What the worker says on a generation port. */
export type GenerationMessage =
  | { type: "chunk"; chunk: TextChunk }
  | { type: "done"; result: GenerationResult }
  | { type: "failed"; error: WireError };

/** What the page says on a generation port: one credit per chunk it has consumed, or stop. */
export type ReaderMessage = { type: "credit" } | { type: "abort" };

/** A thrown value as plain data. The inverse pair is `encodeError` and `decodeError`. */
export type WireError =
  | { kind: "hearth"; code: HearthErrorCode; message: string; details: HearthErrorDetails; stack?: string; cause?: WireError }
  | { kind: "dom"; name: string; message: string; stack?: string }
  | { kind: "error"; name: string; message: string; stack?: string; cause?: WireError }
  | { kind: "value"; value: string | number | boolean | bigint | null | undefined };
