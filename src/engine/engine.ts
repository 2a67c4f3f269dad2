import { HearthError } from "../errors.ts";
import { bytesReadPerToken, layerMatrices, weightBytes } from "../kernels/decoder_weights.ts";
import { hasStates } from "../kernels/kv_cache.ts";
import { formatWords } from "../quant/matrix.ts";
import { rejectUnknownKeys, resolveSampling, SAMPLING_KEYS } from "../sampling/options.ts";
import { Detokenizer } from "../text/detokenizer.ts";
import { StopMatcher } from "../text/stop_matcher.ts";
import { runBenchmark } from "./benchmark.ts";
import { encodePrompt, type CheckpointText } from "./checkpoint_text.ts";
import { generateThroughLosses } from "./generate_tokens.ts";
import type { DevicePart } from "./device_model.ts";
import { loadModel, type LoadedModel, type LoadHooks } from "./load_model.ts";
import type {
  BenchmarkOptions, BenchmarkReport, FinishReason, GenerateOptions, GenerationResult, LoadOptions, ModelInfo, ModelSource, Prompt, TextChunk,
} from "./options.ts";
import { Stopwatch } from "./stopwatch.ts";

const GENERATE_KEYS = [...SAMPLING_KEYS, "maxTokens", "stop", "templateOptions"];

/** A loaded model and the one sequence it works on. Calls must not overlap: the worker lets them take turns. */
export class Engine {
  readonly info: ModelInfo;
  readonly #model: LoadedModel;
  /** The device whose cache `#cached` describes. */
  #part: DevicePart;
  /** Tokens whose keys and values the cache holds, by position. */
  #cached: readonly number[] = [];

  private constructor(model: LoadedModel, part: DevicePart) {
    this.#model = model;
    this.#part = part;
    this.info = describe(model, part);
  }

  /** Load a model; throws before any weight byte moves when the checkpoint cannot run here. */
  static async load(source: ModelSource, options: LoadOptions, hooks: LoadHooks): Promise<Engine> {
    const model = await loadModel(source, options, hooks);
    return new Engine(model, await model.device.part());
  }

  /** Stream the answer to a prompt, as text that is safe to show. */
  async *generate(prompt: Prompt, options: GenerateOptions, signal: AbortSignal = new AbortController().signal): AsyncGenerator<TextChunk, GenerationResult> {
    rejectUnknownKeys(options, GENERATE_KEYS, "generate");
    signal.throwIfAborted();
    const stopwatch = new Stopwatch();
    const text = this.#text();
    const promptIds = await encodePrompt(text, prompt, { templateOptions: options.templateOptions, signal });
    const maxTokens = this.#tokenLimit(promptIds.length, options.maxTokens);
    await this.#useDevice(signal);
    const cachedTokens = this.#reusablePrefix(promptIds);
    const startsText = typeof prompt !== "string" || prompt === ""; // text that continues nothing loses SentencePiece's leading space
    const detokenizer = new Detokenizer(text.pieces, { first: startsText });
    const stops = new StopMatcher(stopStrings(options.stop));
    const history = [...promptIds];
    let shown = "";
    let finishReason: FinishReason = "length";
    const request = { promptIds, cachedTokens, sampling: resolveSampling(options), maxTokens, stopIds: text.stopIds, signal };
    this.#cached = promptIds.slice(0, cachedTokens); // until the prompt has been computed
    try {
      for await (const tokenIds of generateThroughLosses(this.#model.device, this.#part, request)) {
        stopwatch.count(tokenIds.length);
        history.push(...tokenIds);
        const match = stops.push(tokenIds.map((id) => (text.stopIds.has(id) ? "" : detokenizer.push(id))).join(""));
        shown += match.text;
        if (match.matched !== undefined || tokenIds.some((id) => text.stopIds.has(id))) finishReason = "stop";
        yield { text: match.text, tokenIds };
        if (match.matched !== undefined) return this.#result(shown, finishReason, promptIds.length, cachedTokens, stopwatch);
      }
    } finally {
      // The last token's keys are computed by the step that follows it. Recurrent layers can only go back to the end of the prompt.
      if (stopwatch.tokens > 0) this.#cached = this.#isRecurrent() ? promptIds : history.slice(0, -1);
    }
    const rest = stops.push(detokenizer.flush());
    const tail = rest.matched === undefined ? rest.text + stops.flush() : rest.text;
    if (tail !== "") yield { text: tail, tokenIds: [] };
    return this.#result(shown + tail, finishReason, promptIds.length, cachedTokens, stopwatch);
  }

  /** Count the tokens that a prompt takes. */
  async countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return (await encodePrompt(this.#text(), prompt, { signal })).length;
  }

  /** Compute the logits after every input token, f32 `[tokenIds.length, vocabSize]`. */
  async logits(tokenIds: readonly number[]): Promise<Float32Array> {
    const { vocabSize, contextLength } = this.info;
    if (tokenIds.length === 0 || tokenIds.length > contextLength) {
      throw new HearthError("prompt-too-long", `logits: expected 1 to ${contextLength} tokens, found ${tokenIds.length}`);
    }
    const stranger = tokenIds.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (stranger !== undefined) throw new HearthError("invalid-options", `logits: expected token ids from 0 to ${vocabSize - 1}, found ${stranger}`);
    this.#cached = [];
    return this.#model.device.run(({ runner }) => runner.logits(tokenIds));
  }

  /** Measure prefill and decode speed. */
  async benchmark(options: BenchmarkOptions, signal: AbortSignal = new AbortController().signal): Promise<BenchmarkReport> {
    this.#cached = [];
    return this.#model.device.run((part) => runBenchmark(part, this.#model.contextLength, options, signal), signal);
  }

  /** Free the GPU. */
  async unload(): Promise<void> {
    this.#model.text?.host.close();
    this.#model.device.destroy();
  }

  #text(): CheckpointText {
    if (this.#model.text) return this.#model.text;
    throw new HearthError("file-not-found", `${this.#model.id}: expected tokenizer.json, found none. Checkpoints with only a SentencePiece file are not supported.`);
  }

  /** A device that was lost since the last call took the cache with it. */
  async #useDevice(signal: AbortSignal): Promise<void> {
    const part = await this.#model.device.part(signal);
    if (part !== this.#part) this.#cached = [];
    this.#part = part;
  }

  #tokenLimit(promptTokens: number, maxTokens: number | undefined): number {
    const room = this.#model.contextLength - promptTokens;
    if (promptTokens === 0) throw new HearthError("invalid-options", "The prompt has no tokens. Pass some text.");
    if (room < 1) {
      throw new HearthError("prompt-too-long", `The prompt has ${promptTokens} tokens; the context holds ${this.#model.contextLength}, answer included. Shorten it, or load with a larger contextLength.`);
    }
    if (maxTokens === undefined) return room;
    if (!Number.isInteger(maxTokens) || maxTokens < 1) throw new HearthError("invalid-options", `maxTokens: expected a positive integer, found ${String(maxTokens)}`);
    return Math.min(maxTokens, room);
  }

  /** How many leading tokens are in the cache already; the last one must run again, for its logits. */
  #reusablePrefix(promptIds: readonly number[]): number {
    const longest = Math.min(this.#cached.length, promptIds.length - 1);
    const shared = this.#cached.slice(0, longest).findIndex((id, i) => id !== promptIds[i]);
    const prefix = shared === -1 ? longest : shared;
    return this.#isRecurrent() && prefix < this.#cached.length ? 0 : prefix; // a state is saved at one position only
  }

  #isRecurrent(): boolean {
    return hasStates(this.#part.runner.decoder.spec);
  }

  #result(text: string, finishReason: FinishReason, promptTokens: number, cachedTokens: number, stopwatch: Stopwatch): GenerationResult {
    const usage = { promptTokens, cachedTokens, completionTokens: stopwatch.tokens };
    return { text, finishReason, usage, timing: stopwatch.timing(promptTokens - cachedTokens) };
  }
}

function stopStrings(stop: string | readonly string[] | undefined): readonly string[] {
  const stops = stop === undefined ? [] : typeof stop === "string" ? [stop] : stop;
  for (const each of stops) {
    if (typeof each !== "string" || each === "") throw new HearthError("invalid-options", `stop: expected non-empty strings, found ${JSON.stringify(each)}`);
  }
  return stops;
}

function describe({ id, config, text, contextLength, quantize, tuning }: LoadedModel, { gpu, runner }: DevicePart): ModelInfo {
  const { spec, weights, cache } = runner.decoder;
  const { vendor, architecture, description } = gpu.adapterInfo;
  const matrices = weights.layers.flatMap(layerMatrices);
  const all = [...matrices, ...new Set([weights.embedding, weights.head])];
  return {
    id,
    modelType: config.modelType,
    weightFormat: [...new Set(all.flatMap(({ parts }) => parts.map(({ format }) => formatWords(format))))].join("; "),
    quantize,
    parameters: all.reduce((sum, { rows, columns }) => sum + rows * columns, 0),
    weightBytes: weightBytes(weights),
    bytesReadPerToken: bytesReadPerToken(runner.decoder),
    kvCacheBytes: cache.byteLength,
    layers: spec.layers.length,
    hiddenSize: spec.hiddenSize,
    vocabSize: spec.vocabSize,
    contextLength,
    hasChatTemplate: text?.host.hasTemplate ?? false,
    dispatchesPerToken: runner.dispatchesPerToken(1),
    adapter: { vendor, architecture, description, features: [...gpu.device.features].sort(), isSoftware: gpu.traits.isSoftware },
    schedule: tuning.choice,
  };
}
