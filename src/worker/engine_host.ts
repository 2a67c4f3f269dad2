import { transfer } from "comlink";

import { checkModel } from "../engine/check_model.ts";
import { Engine } from "../engine/engine.ts";
import type { BenchmarkOptions, GenerateOptions, GenerationResult, LoadOptions, ModelSource, Prompt, TextChunk } from "../engine/options.ts";
import { HearthError } from "../errors.ts";
import { trimStoredModels } from "../storage/eviction.ts";
import { holdLock } from "../storage/locks.ts";
import { exportFromBrowser, importIntoBrowser, listStoredModels, pinStoredModel, removeStoredModel } from "../storage/stored_models.ts";
import type { LoadMessage, WorkerApi } from "./protocol.ts";
import { textStarter } from "./text_host.ts";
import { encodeError, pumpGeneration, signalOfAborter } from "./transfer.ts";
import { Turnstile } from "./turnstile.ts";

const MAX_WAITING_CALLS = 32; // more than a page can show; enough to catch a loop that forgets to await

/** The worker's half of a LanguageModel: one engine, whose callers take turns. */
export class EngineHost implements WorkerApi {
  readonly #turnstile = new Turnstile(MAX_WAITING_CALLS);
  readonly #unloading = new AbortController();
  #loading: Promise<Engine> | undefined;
  #engine: Engine | undefined;

  async holdLock(name: string): Promise<void> {
    await holdLock(navigator.locks, name);
  }

  ping(): void {}

  async load(source: ModelSource, options: LoadOptions, baseUrl: string, port: MessagePort, spawner: MessagePort): Promise<void> {
    const post = (message: LoadMessage) => port.postMessage(message);
    try {
      if (this.#loading) throw new Error("This worker already holds a model");
      this.#loading = Engine.load(source, options, {
        baseUrl,
        startText: textStarter(spawner),
        signal: this.#unloading.signal,
        onProgress: (progress) => post({ type: "progress", progress }),
      });
      this.#engine = await this.#loading;
      post({ type: "loaded", info: this.#engine.info });
    } catch (error) {
      post({ type: "failed", error: encodeError(error) });
    }
  }

  checkModel(source: ModelSource, options: LoadOptions, baseUrl: string, aborter: MessagePort) {
    return checkModel(source, options, baseUrl, signalOfAborter(aborter));
  }

  generate(prompt: Prompt, options: GenerateOptions, port: MessagePort): void {
    void pumpGeneration(port, (signal) => this.#generateInTurn(prompt, options, signal));
  }

  async *#generateInTurn(prompt: Prompt, options: GenerateOptions, reader: AbortSignal): AsyncGenerator<TextChunk, GenerationResult> {
    const signal = AbortSignal.any([reader, this.#unloading.signal]);
    const leave = await this.#turnstile.enter(signal);
    try {
      return yield* this.#loaded().generate(prompt, options, signal);
    } finally {
      leave();
    }
  }

  async countTokens(prompt: Prompt): Promise<number> {
    return this.#loaded().countTokens(prompt, this.#unloading.signal);
  }

  async logits(tokenIds: readonly number[], aborter: MessagePort): Promise<Float32Array<ArrayBuffer>> {
    const logits = await this.#inTurn(aborter, () => this.#loaded().logits(tokenIds));
    const owned = new Float32Array(logits); // a copy: the engine may keep what it returned
    return transfer(owned, [owned.buffer]);
  }

  benchmark(options: BenchmarkOptions, aborter: MessagePort) {
    return this.#inTurn(aborter, (signal) => this.#loaded().benchmark(options, signal));
  }

  async #inTurn<T>(aborter: MessagePort, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([signalOfAborter(aborter), this.#unloading.signal]);
    const leave = await this.#turnstile.enter(signal);
    try {
      return await call(signal);
    } finally {
      leave();
    }
  }

  async unload(): Promise<void> {
    this.#unloading.abort(new HearthError("unloaded", "The model was unloaded. Load it again to use it."));
    const [loaded] = await Promise.allSettled([this.#loading]);
    if (loaded.status === "rejected") return; // nothing to release, and load() has told the page why
    await this.#turnstile.enter(new AbortController().signal); // the running call has to let go of the GPU first
    await loaded.value?.unload();
  }

  listStoredModels = listStoredModels;
  removeStoredModel = removeStoredModel;
  pinStoredModel = pinStoredModel;
  trimStoredModels = trimStoredModels;
  importStoredModel = importIntoBrowser;

  async exportStoredModel(id: string): Promise<ReadableStream<Uint8Array>> {
    const stream = await exportFromBrowser(id);
    return transfer(stream, [stream]);
  }

  #loaded(): Engine {
    this.#unloading.signal.throwIfAborted();
    if (!this.#engine) throw new Error("No model is loaded in this worker");
    return this.#engine;
  }
}
