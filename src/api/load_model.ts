import { transfer } from "comlink";

import type { LoadMessage, LoadOptions, LoadProgress, ModelInfo, ModelSource } from "../worker/protocol.ts";
import { decodeError, untilAborted } from "../worker/transfer.ts";
import { refuseUnknownOptions } from "./known_options.ts";
import { LanguageModel } from "./language_model.ts";
import { Supervisor } from "./supervisor.ts";

/** How a model is loaded, and who hears about it. */
export interface LoadModelOptions extends LoadOptions {
  /** Called often while files are read, and a last time in phase "ready". */
  onProgress?: (progress: LoadProgress) => void;
  /** Stops loading; what was downloaded is kept for the next attempt. */
  signal?: AbortSignal;
}

/** Load a checkpoint into a worker of its own and resolve once it can answer. */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<LanguageModel> {
  refuseUnknownOptions("loadModel", options);
  const { onProgress, signal, ...loadOptions } = options;
  signal?.throwIfAborted();
  const baseUrl = globalThis.document?.baseURI ?? location.href; // an inlined worker has no base to resolve against
  const start = (listener?: typeof onProgress, stop?: AbortSignal) => startWorker({ source, loadOptions, baseUrl }, listener, stop);
  const { supervisor, info } = await start(onProgress, signal);
  return new LanguageModel(supervisor, info, async () => (await start()).supervisor);
}

/** What a worker is told to load. */
interface Load {
  source: ModelSource;
  loadOptions: LoadOptions;
  baseUrl: string;
}

async function startWorker(
  { source, loadOptions, baseUrl }: Load, onProgress?: (progress: LoadProgress) => void, signal: AbortSignal = new AbortController().signal,
): Promise<{ supervisor: Supervisor; info: ModelInfo }> {
  const supervisor = new Supervisor();
  try {
    const { port1, port2 } = new MessageChannel();
    const outcome = readLoad(port1, onProgress);
    const { textSpawner } = supervisor;
    const sent = supervisor.call((remote) => remote.load(source, loadOptions, baseUrl, transfer(port2, [port2]), transfer(textSpawner, [textSpawner])));
    const [info] = await untilAborted(Promise.all([outcome, sent]), AbortSignal.any([signal, supervisor.signal]));
    return { supervisor, info };
  } catch (error) {
    void supervisor.stop(); // the caller need not wait for the worker to let go
    throw error;
  }
}

function readLoad(port: MessagePort, onProgress?: (progress: LoadProgress) => void): Promise<ModelInfo> {
  return new Promise((resolve, reject) => {
    port.onmessage = ({ data }: MessageEvent<LoadMessage>) => {
      switch (data.type) {
        case "progress":
          return onProgress?.(data.progress);
        case "loaded":
          return resolve(data.info);
        case "failed":
          return reject(decodeError(data.error));
        default:
          data satisfies never;
      }
    };
  });
}
