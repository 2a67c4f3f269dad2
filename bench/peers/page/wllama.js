import { Wllama } from "./lib/wllama.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** wllama (llama.cpp): on CPU threads, or on its WebGPU backend; speeds are those that llama.cpp reports. */
export async function open({ shape, halves, modelUrl, variant }) {
  const wantsGpu = variant !== "cpu";
  if (wantsGpu && !halves) throw new Error("llama.cpp's WebGPU backend needs shader-f16, which this adapter lacks");
  const log = [];
  const note = (...words) => log.push(words.join(" "));
  const response = await fetch(await modelUrl("gguf"));
  const wllama = new Wllama({ default: new URL("./lib/wllama.wasm", import.meta.url).href }, { logger: { debug: note, log: note, warn: note, error: note } });
  await wllama.loadModel([await response.blob()], {
    n_ctx: shape.contextLength,
    n_gpu_layers: wantsGpu ? 999 : 0,
    n_threads: navigator.hardwareConcurrency,
  });
  const offloaded = /offloaded \d+\/\d+ layers to GPU/.exec(log.join("\n"))?.[0];
  return {
    version: shape.wllamaVersion,
    details: wantsGpu ? `WebGPU, Q4_0, ${offloaded ?? "but llama.cpp does not say what it offloaded"}` : `CPU, ${wllama.getNumThreads()} threads, Q4_0`,
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
