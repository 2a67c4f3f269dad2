import { Wllama } from "./lib/wllama.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** wllama (llama.cpp): on CPU threads, or on its WebGPU backend; speeds are those that llama.cpp reports. */
export async function open({ shape, modelUrl, variant }) {
  const response = await fetch(await modelUrl("gguf"));
  const wllama = new Wllama({ default: new URL("./lib/wllama.wasm", import.meta.url).href }, { suppressNativeLog: true });
  await wllama.loadModel([await response.blob()], {
    n_ctx: shape.contextLength,
    n_gpu_layers: variant === "cpu" ? 0 : 999,
    n_threads: navigator.hardwareConcurrency,
  });
  const isGpu = variant !== "cpu" && wllama.isSupportWebGPU();
  if (variant !== "cpu" && !isGpu) throw new Error("wllama: expected its WebGPU backend, found it unsupported here");
  return {
    version: shape.wllamaVersion,
    details: isGpu ? "WebGPU, Q4_0" : `CPU, ${wllama.getNumThreads()} threads, Q4_0`,
    async run(promptTokens, maxTokens) {
      // One letter is one token in the vocabulary of these files.
      const prompt = Array.from({ length: promptTokens }, () => LETTERS[Math.floor(Math.random() * LETTERS.length)]).join("");
      const { timings } = await wllama.createCompletion({ prompt, max_tokens: maxTokens, temperature: 0, top_k: 1, ignore_eos: true, cache_prompt: false });
      if (timings.prompt_n !== promptTokens) throw new Error(`wllama: expected ${promptTokens} tokens of prompt, found ${timings.prompt_n}`);
      if (timings.predicted_n !== maxTokens) throw new Error(`wllama: expected ${maxTokens} tokens of answer, found ${timings.predicted_n}`);
      // llama.cpp's clock of decoding starts at the first token.
      return { firstTokenMs: timings.prompt_ms, decodeTokensPerSecond: (maxTokens - 1) / (timings.predicted_ms / 1000) };
    },
  };
}
