// Stands in for src/index.ts, so that the page's own behaviour can be checked without a GPU.
// Questions steer it: "long" streams slowly, "crash" fails once, everything else is echoed with its message count.
export class HearthError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class LanguageModel {}

const query = new URLSearchParams(location.search);
const contextLength = Number(query.get("context") ?? 1000);
let crashes = 0;

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

export async function loadModel(source, { onProgress, signal }) {
  if (query.has("no-webgpu")) throw new HearthError("no-webgpu", "No adapter was found.");
  if (source === "org/odd") throw new HearthError("unsupported-checkpoint", `org/odd: model_type "odd" is not known`);
  if (query.has("slow")) await fetch("/fake-weights", { signal }); // which the test answers when it wants
  const steps = source === "org/big" ? 1000 : 1;
  for (let step = 0; step <= steps; step++) {
    onProgress({ phase: "weights", file: "model.safetensors", loadedBytes: step * 1e6, totalBytes: steps * 1e6, fromCache: source === "org/kept" });
    await pause(20, signal);
  }
  return { info: info(source), countTokens: async (messages) => messages.length * 10, unload: async () => {}, stream, benchmark };
}

function info(id) {
  return {
    id, modelType: "qwen3", weightFormat: "4-bit, group 64", parameters: 15e6, weightBytes: 10e6, kvCacheBytes: 8e6, layers: 8,
    hiddenSize: 384, vocabSize: 7168, contextLength, hasChatTemplate: true, dispatchesPerToken: 50,
    schedule: { workgroup: 128, rowsPerStream: 16, rowsPerThread: 4, leastLanes: 32, mostLanes: 128, threadsWanted: 65536, origin: "usual" },
    adapter: { vendor: "fake", architecture: "none", description: "", features: [], isSoftware: false },
  };
}

const kernelReport = {
  clock: "wall",
  kernels: [
    { label: "matmul_vec up", dispatches: 28, milliseconds: 0.25, weightBytes: 100e6, bandwidthFraction: 0.2, plainReadFraction: 0.6 },
    { label: "attention_decode window 4096", dispatches: 28, milliseconds: 0.125, weightBytes: 0 },
  ],
};
const benchmarkSpeeds = [120, 100, 110]; // a run each, over and over
let benchmarks = 0;

async function benchmark({ promptTokens, maxTokens, kernels }) {
  return {
    promptTokens, completionTokens: maxTokens, prefillTokensPerSecond: 900, decodeTokensPerSecond: benchmarkSpeeds[benchmarks++ % 3], timeToFirstTokenMs: 12,
    tokenMs: { p50: 9, p95: 10.5, p99: 12.04 }, dispatchesPerToken: 50, submitsPerToken: 1, encodeMsPerToken: 0.05, peakMemoryBytes: 640e6, measuredBandwidth: 2e12, bandwidthFraction: 0.31,
    ...(kernels ? { kernels: kernelReport } : {}),
  };
}

async function* stream(messages, { signal }) {
  const question = messages.at(-1).content;
  if (question === "crash" && crashes++ === 0) throw new HearthError("device-lost", "The device was lost.");
  const text = question === "long" ? "word ".repeat(5000) : `${question} (${messages.length} messages)`;
  let tokens = 0;
  const pieces = question === "long" ? /(\S+\s*){1,5}/g : /\S+\s*/g;
  for (const piece of text.match(pieces)) {
    if (question === "long") await pause(10, signal);
    yield { text: piece, tokenIds: [tokens++] };
  }
  const usage = { promptTokens: messages.length * 10, cachedTokens: 0, completionTokens: tokens };
  const timing = { timeToFirstTokenMs: 12, prefillTokensPerSecond: 900, decodeTokensPerSecond: 84.2, totalMs: 100 };
  return { text, finishReason: "stop", usage, timing };
}

let stored = [
  { id: "org/kept", bytes: 12e6, complete: true, savedAt: 0 },
  { id: "./models/hearth-tiny/?v=older", bytes: 9e6, complete: true, savedAt: 0 },
  { id: "/elsewhere/models/hearth-tiny/?v=older", bytes: 8e6, complete: true, savedAt: 0 },
];

export const storedModels = {
  list: async () => stored,
  remove: async (id) => {
    stored = stored.filter((model) => model.id !== id);
  },
};
