import type { SamplingOptions } from "../sampling/options.ts";
import type { ChatMessage } from "../text/chat_template.ts";

/** What a model may be loaded from: a Hub id ("org/name"), a URL, a relative path, "synthetic:<shape>", or picked files. */
export type ModelSource = string | readonly File[];

/** How a checkpoint is loaded. */
export interface LoadOptions {
  /** Branch, tag or commit of a Hub repo. Default "main". */
  revision?: string;
  /** Hub access token of a gated repo; it is sent to the endpoint's origin only. */
  token?: string;
  /** Address of a mirror that speaks the Hub's API. Default "https://huggingface.co". */
  endpoint?: string;
  /**
   * Whether files are kept in this browser. "preferred" (the default) goes on without when the storage is full or fails,
   * "required" fails then with code "storage-full" or "storage", "none" neither reads nor writes it.
   */
  store?: "preferred" | "required" | "none";
  /**
   * Bytes that stored models may take together, this one among them. Where they would take more, those that were used the
   * longest ago are removed before the weights are fetched, but never one that is pinned or that any tab has loaded; where
   * that is not enough, the model loads and is stored all the same. Default: nothing is removed.
   */
  storageBudget?: number;
  /** Tokens that prompt and answer may fill together. Default: the model's own maximum, at most 4096. */
  contextLength?: number;
  /**
   * How keys and values are stored between tokens. Default "f16". "int8" takes about half the memory: 8-bit codes with a
   * scale for each head of each position.
   */
  kvCache?: "f16" | "int8" | "f32";
  /**
   * Bits that the inputs of prefill's products over 4-bit and 8-bit weights keep at least. Default 16: half floats where the GPU
   * has them, else whole numbers, each with a scale for every 32. 8 is faster on GPUs that multiply bytes in one instruction, and
   * changes which token is the most likely now and then.
   */
  prefillBits?: 8 | 16;
  /**
   * Quantise float weights while loading, in groups of 64; embedding and output head keep 8 bits. Default, by size: "none" up
   * to 256 MiB of floats, else "q8" below a billion parameters and "q4" from there on; "none" for what is quantised already.
   */
  quantize?: "q4" | "q8" | "none";
  /**
   * Whether a model's first load on a GPU may take about half a second to find out how decoding is cut fastest there; the result
   * is kept. Default true; never on software GPUs.
   */
  tune?: boolean;
}

/** A step of loading, for a progress bar. */
export interface LoadProgress {
  /** "config": reading small files; "weights": downloading or reading weights into the GPU; "ready": compiled and usable. */
  phase: "config" | "weights" | "ready";
  /** The file being read; "" in phase "ready". */
  file: string;
  /** Bytes of the phase read so far, over all its files. */
  loadedBytes: number;
  /** Bytes of the phase in total. */
  totalBytes: number;
  /** Whether the bytes come from this browser's storage rather than the network. */
  fromCache: boolean;
  /** Set while the network is too slow to wait for: fewer than 8 kB a second for a minute. */
  slow?: true;
}

/** GPU memory that a model takes, once loaded with the options given. */
export interface ModelMemory {
  /** Weights, cache, activations and what loading needs besides. */
  totalBytes: number;
  weightBytes: number;
  kvCacheBytes: number;
  /** Tokens that the cache holds. */
  contextLength: number;
}

/** Whether a checkpoint runs on this machine, told without reading its weights. */
export interface FitReport {
  id: string;
  /** "no": it cannot run here; "risky": this device may end the page for its memory; "yes": nothing known speaks against it. */
  fits: "yes" | "risky" | "no";
  /** Why it does not fit, or what to expect, in sentences to show. */
  reasons: string[];
  /** The checkpoint's model_type; undefined where config.json already rules it out. */
  modelType: string | undefined;
  /** Bytes of weights that a load would fetch: those not stored in this browser; undefined where it cannot run. */
  downloadBytes: number | undefined;
  /** Bytes that this browser says it would still store; browsers round it, some by much. */
  freeStorageBytes: number | undefined;
  memory: ModelMemory | undefined;
}

/** Text to continue as it stands, or a conversation to answer through the model's chat template. */
export type Prompt = string | readonly ChatMessage[];

/** How an answer is generated. */
export interface GenerateOptions extends SamplingOptions {
  /** Tokens to generate at most. Default: what the context still holds. */
  maxTokens?: number;
  /** End the answer before any of these strings would be shown. */
  stop?: string | readonly string[];
  /** Further variables for the chat template, such as `{ enable_thinking: false }`. */
  templateOptions?: Readonly<Record<string, unknown>>;
}

/** Text that is safe to show: whole characters, with no part of a stop string. */
export interface TextChunk {
  text: string;
  /** The tokens read since the last chunk; their text may still be held back. */
  tokenIds: number[];
}

/** Why an answer ended: a stop token or stop string, or the token limit. */
export type FinishReason = "stop" | "length";

/** A finished answer. */
export interface GenerationResult {
  text: string;
  finishReason: FinishReason;
  usage: {
    promptTokens: number;
    /** Prompt tokens whose keys and values were still in the cache. */
    cachedTokens: number;
    completionTokens: number;
  };
  timing: GenerationTiming;
}

/** Wall-clock facts of one answer. */
export interface GenerationTiming {
  /** From the call to the first token in the worker, in milliseconds. */
  timeToFirstTokenMs: number;
  /** Prompt tokens computed per second. */
  prefillTokensPerSecond: number;
  /** Tokens per second after the first. */
  decodeTokensPerSecond: number;
  totalMs: number;
}

/** What is loaded, and where it runs. */
export interface ModelInfo {
  id: string;
  /** The checkpoint's model_type, such as "qwen3". */
  modelType: string;
  /** How the weights are held on the GPU, such as "4-bit, group 64; 8-bit, group 64". */
  weightFormat: string;
  /** What float weights were quantised to while they loaded: as asked, or chosen by their size. */
  quantize: "q4" | "q8" | "none";
  parameters: number;
  weightBytes: number;
  /** Bytes of weights that one decoded token reads. */
  bytesReadPerToken: number;
  kvCacheBytes: number;
  layers: number;
  hiddenSize: number;
  vocabSize: number;
  contextLength: number;
  /** Whether the checkpoint brings a chat template, so that messages can be passed. */
  hasChatTemplate: boolean;
  /** Of greedy decoding; drawing a token takes two more. */
  dispatchesPerToken: number;
  adapter: AdapterInfo;
  schedule: ScheduleInfo;
}

/** How decoding's matrix products are cut. */
export interface ScheduleInfo {
  /** Threads of a workgroup. */
  workgroup: number;
  /** Rows of a matrix that a stream of lanes, one for each block of 32 inputs, walks at most, or 4 of a matrix large enough for more than twice as many, heads aside; 0 where single rows are decoded like many. */
  rowsPerStream: number;
  /** Rows of a matrix that a thread computes at once. */
  rowsPerThread: number;
  /** Threads that share a row of a matrix, at least and at most. */
  leastLanes: number;
  mostLanes: number;
  /** Threads that more lanes are to make of a short matrix. */
  threadsWanted: number;
  /** As what a single row of inputs meets 4-bit and 8-bit weights: whole numbers of 16 bits, half floats, or floats. */
  operand: "bytes" | "halves" | "floats";
  /** "usual": by what the adapter reports; "measured": while the model was loaded; "kept": measured on an earlier visit. */
  origin: "usual" | "measured" | "kept";
  /** Part of a token's GPU time that it saves over the usual schedule, where it was measured. */
  gain?: number;
  /** Other schedules that were timed. */
  timed?: number;
  /** Milliseconds of this load that measuring took, and preparing the kernels that were chosen. */
  tuneMs?: number;
}

/** The GPU in the browser's words. */
export interface AdapterInfo {
  vendor: string;
  architecture: string;
  description: string;
  features: string[];
  /** Whether a processor plays the GPU: it works, slowly. */
  isSoftware: boolean;
}

/** What to measure. */
export interface BenchmarkOptions {
  promptTokens?: number;
  maxTokens?: number;
  /** How tokens are chosen, as in generate(). Default: greedily. */
  sampling?: SamplingOptions;
  /** Also time each kind of kernel by itself. */
  kernels?: boolean;
}

/** Measured speed of the loaded model on this GPU. */
export interface BenchmarkReport {
  promptTokens: number;
  completionTokens: number;
  prefillTokensPerSecond: number;
  decodeTokensPerSecond: number;
  timeToFirstTokenMs: number;
  /** Milliseconds between tokens as the worker sees them, sorted percentiles. */
  tokenMs: { p50: number; p95: number; p99: number };
  dispatchesPerToken: number;
  submitsPerToken: number;
  /** CPU time to encode and submit one token, in milliseconds. */
  encodeMsPerToken: number;
  /** Bytes of all GPU buffers at once, at most, while it ran. */
  peakMemoryBytes: number;
  /** Read bandwidth of a plain streaming kernel in the same run, bytes per second. */
  measuredBandwidth: number;
  /** (weight bytes per token x tokens per second) / measured bandwidth. */
  bandwidthFraction: number;
  /** How long each kind of kernel takes by itself; only when asked for. */
  kernels?: KernelReport;
}

/** The kernels of one decoded token, the slowest first. */
export interface KernelReport {
  /** The GPU's own clock, or where the adapter has none the time until the page hears that the work is done. */
  clock: "timestamp-query" | "wall";
  kernels: KernelTime[];
}

/** One kind of kernel of a decoded token, run back to back on its own. */
export interface KernelTime {
  label: string;
  /** How often a token runs it. */
  dispatches: number;
  /** Milliseconds that a token spends in it. */
  milliseconds: number;
  /** Bytes of weights that a token reads in it. */
  weightBytes: number;
  /** (weight bytes / time) / measured bandwidth, of kernels that read 16 MiB or more at once. */
  bandwidthFraction?: number;
  /** The time that plain reads of as many bytes at once take, in as many dispatches, / this kernel's; for the same kernels. */
  plainReadFraction?: number;
}
