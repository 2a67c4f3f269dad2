import { loadModel } from "./lib/hearth.js";

/** Hearth, measured by its own model.benchmark(). */
export async function open({ shape }) {
  const model = await loadModel(shape.hearth, { contextLength: shape.contextLength });
  return {
    version: shape.hearthVersion,
    details: `WebGPU, ${model.info.weightFormat}, token chosen on the GPU`,
    async run(promptTokens, maxTokens) {
      const { timeToFirstTokenMs, decodeTokensPerSecond } = await model.benchmark({ promptTokens, maxTokens });
      return { firstTokenMs: timeToFirstTokenMs, decodeTokensPerSecond };
    },
  };
}
