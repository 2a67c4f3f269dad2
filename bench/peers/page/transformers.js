import { AutoModelForCausalLM, Tensor, env } from "./lib/transformers.min.js";

import { promptIds, speeds } from "./ids.js";

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.useBrowserCache = false;
env.backends.onnx.wasm.wasmPaths = new URL("./lib/", import.meta.url).href;

/** transformers.js: generate() over the same ONNX file, greedy, with a streamer that notes the times. */
export async function open({ shape, halves, modelUrl }) {
  const folder = await modelUrl(halves ? "onnx-f16" : "onnx-f32");
  env.localModelPath = folder.slice(0, folder.lastIndexOf("/") + 1);
  const model = await AutoModelForCausalLM.from_pretrained(folder.split("/").at(-1), { device: "webgpu", dtype: halves ? "q4f16" : "q4" });
  return {
    version: env.version,
    details: `WebGPU, the same ONNX file, ${halves ? "f16" : "f32"}, generate()`,
    async run(promptTokens, maxTokens) {
      const ids = BigInt64Array.from(promptIds(promptTokens, shape.vocabSize), BigInt);
      const tensor = (data) => new Tensor("int64", data, [1, promptTokens]);
      const tokenTimes = [];
      const started = performance.now();
      let isPrompt = true; // a streamer is handed the prompt first
      const streamer = {
        put() {
          if (!isPrompt) tokenTimes.push(performance.now() - started);
          isPrompt = false;
        },
        end() {},
      };
      await model.generate({
        input_ids: tensor(ids),
        attention_mask: tensor(new BigInt64Array(promptTokens).fill(1n)),
        max_new_tokens: maxTokens,
        do_sample: false,
        streamer,
      });
      return speeds(tokenTimes);
    },
  };
}
