import * as ort from "./lib/ort.webgpu.bundle.min.mjs";

import { promptIds, speeds } from "./ids.js";

ort.env.wasm.wasmPaths = new URL("./lib/", import.meta.url).href;
ort.env.logLevel = "error";

/** onnxruntime-web by itself: the cache stays on the GPU, logits come to the page, which takes the likeliest token. */
export async function open({ shape, halves, modelUrl }) {
  const folder = await modelUrl(halves ? "onnx-f16" : "onnx-f32");
  const stem = halves ? "model_q4f16" : "model_q4";
  const names = Array.from({ length: shape.layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
  const session = await ort.InferenceSession.create(`${folder}/onnx/${stem}.onnx`, {
    executionProviders: ["webgpu"],
    externalData: [{ path: `${stem}.onnx_data`, data: `${folder}/onnx/${stem}.onnx_data` }],
    preferredOutputLocation: Object.fromEntries(names.map((name) => [`present.${name}`, "gpu-buffer"])),
  });
  const emptyCache = () => {
    const dims = [1, shape.kvHeads, 0, shape.headDim];
    const tensor = () => (halves ? new ort.Tensor("float16", new Uint16Array(0), dims) : new ort.Tensor("float32", new Float32Array(0), dims));
    return Object.fromEntries(names.map((name) => [`past_key_values.${name}`, tensor()]));
  };
  return {
    version: ort.env.versions.web,
    details: `WebGPU, MatMulNBits group 32, ${halves ? "f16" : "f32"}, logits read by the page`,
    run: (promptTokens, maxTokens) => generate(session, names, emptyCache(), promptIds(promptTokens, shape.vocabSize), maxTokens),
  };
}

async function generate(session, names, cache, prompt, maxTokens) {
  const started = performance.now();
  const tokenTimes = [];
  let ids = prompt;
  let past = cache;
  for (let total = prompt.length; tokenTimes.length < maxTokens; total++) {
    const outputs = await session.run({ ...past, input_ids: integers(ids), attention_mask: integers(new Array(total).fill(1)) });
    ids = [likeliest(outputs.logits.data)];
    tokenTimes.push(performance.now() - started);
    release(past);
    past = Object.fromEntries(names.map((name) => [`past_key_values.${name}`, outputs[`present.${name}`]]));
  }
  release(past);
  return speeds(tokenTimes);
}

function integers(values) {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
}

function likeliest(logits) {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}

function release(cache) {
  for (const tensor of Object.values(cache)) if (tensor.location === "gpu-buffer") tensor.dispose();
}
