import { transfer } from "comlink";

import type { BenchmarkOptions, BenchmarkReport, GenerateOptions, GenerationResult } from "../worker/protocol.ts";
import type { ModelInfo, Prompt, TextChunk } from "../worker/protocol.ts";
import { readGeneration, untilAborted, withAborter } from "../worker/transfer.ts";
import { refuseUnknownOptions } from "./known_options.ts";
import type { Supervisor } from "./supervisor.ts";

/** What can stop a call. */
export interface Abortable {
  /** Stops the work within one step; the call rejects with the signal's reason, an `AbortError` by default. */
  signal?: AbortSignal;
}

/**
 * A loaded model. Calls made at the same time are answered one after the other, in order. If its worker dies, what is
 * pending rejects with code "worker-failed", and the next call starts another worker and loads the model into it.
 */
export class LanguageModel {
  /** What is loaded, and where it runs. */
  readonly info: ModelInfo;
  readonly #restart: () => Promise<Supervisor>;
  #supervisor: Supervisor;
  #restarting: Promise<void> | undefined;
  #isUnloaded = false;

  /** Made by `loadModel`; `restart` loads the same into another worker. */
  constructor(supervisor: Supervisor, info: ModelInfo, restart: () => Promise<Supervisor>) {
    this.#supervisor = supervisor;
    this.info = info;
    this.#restart = restart;
  }

  /**
   * Yield the answer as it is written, and return the whole of it with its timing.
   * Nothing starts before the first `next()`. Leaving the loop stops the work; an iterator dropped without `return()`
   * keeps its turn, and later calls wait behind it.
   */
  async *stream(prompt: Prompt, options: GenerateOptions & Abortable = {}): AsyncGenerator<TextChunk, GenerationResult> {
    refuseUnknownOptions("generate", options);
    const { signal, ...generateOptions } = options;
    signal?.throwIfAborted();
    const supervisor = await this.#living(signal);
    const stop = stopSignal(supervisor, signal);
    const { port1, port2 } = new MessageChannel();
    await supervisor.call((remote) => remote.generate(prompt, generateOptions, transfer(port2, [port2])));
    const chunks = readGeneration(port1, stop);
    try {
      for (;;) {
        const step = await supervisor.watched(chunks.next()); // not while the caller is busy with a chunk
        if (step.done) return step.value;
        yield step.value;
      }
    } finally {
      await chunks.return(undefined as never); // a generator that was told to return has no result
    }
  }

  /** Resolve to the whole answer. */
  async generate(prompt: Prompt, options: GenerateOptions & Abortable = {}): Promise<GenerationResult> {
    const chunks = this.stream(prompt, options);
    for (;;) {
      const step = await chunks.next();
      if (step.done) return step.value;
    }
  }

  /** Count the tokens of a prompt as `stream` would feed them, chat template included. */
  async countTokens(prompt: Prompt): Promise<number> {
    const supervisor = await this.#living();
    return supervisor.watched(supervisor.call((remote) => remote.countTokens(prompt)));
  }

  /** The raw logits after each of these tokens: one row of `info.vocabSize` numbers per token, row-major. */
  async logits(tokenIds: readonly number[], options: Abortable = {}): Promise<Float32Array> {
    const supervisor = await this.#living(options.signal);
    return supervisor.watched(supervisor.call((remote) =>
      withAborter(stopSignal(supervisor, options.signal), (aborter) => remote.logits(tokenIds, transfer(aborter, [aborter]))),
    ));
  }

  /** Measure the speed of this model on this GPU. */
  async benchmark(options: BenchmarkOptions & Abortable = {}): Promise<BenchmarkReport> {
    refuseUnknownOptions("benchmark", options);
    const { signal, ...benchmarkOptions } = options;
    const supervisor = await this.#living(signal);
    return supervisor.watched(supervisor.call((remote) =>
      withAborter(stopSignal(supervisor, signal), (aborter) => remote.benchmark(benchmarkOptions, transfer(aborter, [aborter]))),
    ));
  }

  /** Stop everything that runs, release the GPU and end the worker. Calls from then on reject with code "unloaded". */
  async unload(): Promise<void> {
    this.#isUnloaded = true;
    await this.#restarting?.catch(() => {}); // told to whoever waits for the worker
    await this.#supervisor.stop();
  }

  /** `await using model = await loadModel(...)` unloads at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unload();
  }

  /** The worker's supervisor, after replacing one that died. */
  async #living(signal?: AbortSignal): Promise<Supervisor> {
    if (!this.#isUnloaded && this.#supervisor.hasFailed) {
      this.#restarting ??= this.#replace().finally(() => (this.#restarting = undefined));
      await (signal ? untilAborted(this.#restarting, signal) : this.#restarting); // others may wait for it too
    }
    this.#supervisor.signal.throwIfAborted();
    return this.#supervisor;
  }

  async #replace(): Promise<void> {
    this.#supervisor = await this.#restart();
  }
}

function stopSignal(supervisor: Supervisor, signal: AbortSignal | undefined): AbortSignal {
  return signal ? AbortSignal.any([signal, supervisor.signal]) : supervisor.signal;
}
