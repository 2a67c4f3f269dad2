import type { Server } from "node:http";

import { expect, test } from "../support/fixtures.ts";
import { safetensorsBeginning, serveLargeCheckpoint } from "../support/large_file_server.ts";
import { measured } from "../support/measured.ts";
import { gpuProcess, largestRendererBytes } from "../support/process_memory.ts";
import { randomBytes } from "../support/random_bytes.ts";

const PAGE = "/e2e/long/gpu_memory.page.ts";
const MEBIBYTE = 2 ** 20;
const NO_PROCESS = "only Chromium has a process of its own for WebGPU, and only /proc tells its memory";

/** A Llama of 512 MiB in bf16. */
const LARGE = {
  model_type: "llama", hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 15, num_attention_heads: 8, num_key_value_heads: 8,
  vocab_size: 16_384, max_position_embeddings: 2048, tie_word_embeddings: true, rms_norm_eps: 1e-5,
};

function largeShapes(): [string, number[]][] {
  const { hidden_size: hidden, intermediate_size: intermediate, num_hidden_layers: layers, vocab_size: vocabulary } = LARGE;
  const layer = (i: number): [string, number[]][] => [
    ...["q_proj", "k_proj", "v_proj", "o_proj"].map((name): [string, number[]] => [`model.layers.${i}.self_attn.${name}.weight`, [hidden, hidden]]),
    ...["gate_proj", "up_proj"].map((name): [string, number[]] => [`model.layers.${i}.mlp.${name}.weight`, [intermediate, hidden]]),
    [`model.layers.${i}.mlp.down_proj.weight`, [hidden, intermediate]],
    [`model.layers.${i}.input_layernorm.weight`, [hidden]],
    [`model.layers.${i}.post_attention_layernorm.weight`, [hidden]],
  ];
  return [["model.embed_tokens.weight", [vocabulary, hidden]], ...Array.from({ length: layers }, (_, i) => layer(i)).flat(), ["model.norm.weight", [hidden]]];
}

/** Serve that model, its tensors repeating one block of small random numbers. */
async function serveLarge(): Promise<{ url: string; server: Server; weightBytes: number }> {
  let weightBytes = 0;
  const entries = largeShapes().map(([name, shape]) => {
    const begin = weightBytes;
    weightBytes += 2 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "BF16", shape, data_offsets: [begin, weightBytes] }];
  });
  const beginning = safetensorsBeginning(Object.fromEntries(entries));
  const block = randomBytes(4 * MEBIBYTE).map((byte, i) => (i % 2 === 0 ? byte : 0x3c | (byte & 0x80))); // 0.008 to 0.03, of either sign
  const byteLength = beginning.byteLength + weightBytes;
  return { ...(await serveLargeCheckpoint({ beginning, block, byteLength, others: { "config.json": JSON.stringify(LARGE) } })), weightBytes };
}

test.describe("a model of half a gigabyte", () => {
  test.use({ expectedErrors: [/404/] }); // files that it need not have

  test("promise 38: the memory of an upload is bounded", async ({ harness }) => {
    test.setTimeout(600_000);
    test.skip(gpuProcess() === undefined, NO_PROCESS);
    const { url, server, weightBytes } = await serveLarge();
    await harness.run(PAGE, "loadAndUnload", 512); // SwiftShader's compiler takes memory of its own, the first time
    const before = { gpu: gpuProcess()!.bytes, renderer: largestRendererBytes()! }; // skipped above without
    const peak = { ...before };
    const sampling = setInterval(() => {
      peak.gpu = Math.max(peak.gpu, gpuProcess()?.bytes ?? 0);
      peak.renderer = Math.max(peak.renderer, largestRendererBytes() ?? 0);
    }, 100);
    const loaded = await harness.run<{ weightBytes: number; logits: number }>(PAGE, "loadLarge", url);
    clearInterval(sampling);
    server.close();
    const after = gpuProcess()?.bytes ?? NaN;
    const gpuRest = after - before.gpu - weightBytes;
    const gpuGrowth = peak.gpu - before.gpu - weightBytes;
    const rendererGrowth = peak.renderer - before.renderer;
    measured(`${Math.round(weightBytes / MEBIBYTE)} MiB loaded: the GPU process at most ${Math.round(gpuGrowth / MEBIBYTE)} MiB above the model (${Math.round(gpuRest / MEBIBYTE)} at rest, ${Math.round(loaded.weightBytes / MEBIBYTE)} MiB of weights there), the renderer ${Math.round(rendererGrowth / MEBIBYTE)} MiB above the idle page`);
    expect(loaded.logits).toBe(3);
    expect(gpuRest).toBeLessThan(128 * MEBIBYTE);
    expect(gpuGrowth).toBeLessThan(128 * MEBIBYTE);
    expect(rendererGrowth).toBeLessThan(200 * MEBIBYTE);
  });
});

test("promise 37: loading and unloading over and over takes no more memory", async ({ harness }) => {
  test.setTimeout(900_000);
  test.skip(gpuProcess() === undefined, NO_PROCESS);
  const sizes: number[] = [];
  for (let cycle = 0; cycle < 20; cycle++) {
    expect(await harness.run<number>(PAGE, "loadAndUnload", cycle % 2 === 0 ? 512 : 1024)).toBe(2);
    sizes.push(gpuProcess()?.bytes ?? NaN);
  }
  const megabytes = (bytes: number) => Math.round(bytes / MEBIBYTE);
  const [early, late] = [sizes.slice(4, 8), sizes.slice(-4)].map((few) => Math.min(...few));
  measured(`the GPU process after 1, 5, 10 and 20 cycles: ${[0, 4, 9, 19].map((cycle) => megabytes(sizes[cycle])).join(", ")} MiB`);
  expect(late).toBeLessThan(early * 1.05 + 8 * MEBIBYTE);
  expect(late).toBeLessThan(sizes[0] + 64 * MEBIBYTE);
});
