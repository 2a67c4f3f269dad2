import { createServer } from "node:http";
import { mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";

import { serveFolder } from "../../tools/driver/serve_folder.mjs";
import { expect, test } from "../support/fixtures.ts";
import type { Damage, Failure } from "./files.page.ts";

const PAGE = "/e2e/checkpoints/files.page.ts";

interface Case {
  what: string;
  damage: Damage;
  code: string;
  /** What the message must say. */
  names: string[];
}

const QUERY = "model.layers.1.self_attn.q_proj.weight";
const NORM = "model.layers.1.post_attention_layernorm.weight";

const TENSOR_CASES: Case[] = [
  { what: "a missing matrix", damage: { without: [QUERY] }, code: "corrupt-checkpoint", names: [QUERY] },
  { what: "a missing vector", damage: { without: [NORM] }, code: "corrupt-checkpoint", names: [NORM] },
  {
    what: "a left-over tensor",
    damage: { with: [{ name: "model.layers.1.self_attn.q_norm.weight", dtype: "F32", shape: [16] }] },
    code: "unsupported-checkpoint",
    names: ["model.layers.1.self_attn.q_norm.weight"],
  },
  { what: "a matrix of another shape", damage: { with: [{ name: QUERY, dtype: "F32", shape: [24, 40] }] }, code: "corrupt-checkpoint", names: [QUERY, "[24, 40]"] },
  { what: "a vector of another length", damage: { with: [{ name: NORM, dtype: "F32", shape: [7] }] }, code: "corrupt-checkpoint", names: [NORM, "[7]"] },
  { what: "a matrix of integers", damage: { with: [{ name: QUERY, dtype: "I32", shape: [64, 64] }] }, code: "unsupported-checkpoint", names: ["model.layers.1.self_attn.q_proj", "I32"] },
  {
    what: "quantised tensors that the config does not speak of",
    damage: { with: [{ name: QUERY.replace("weight", "scales"), dtype: "F16", shape: [64, 1] }] },
    code: "corrupt-checkpoint",
    names: ["model.layers.1.self_attn.q_proj", "config.json"],
  },
];

const FILE_CASES: Case[] = [
  { what: "a truncated file", damage: { cutBytes: 5 }, code: "corrupt-checkpoint", names: ["model.safetensors", "truncated"] },
  { what: "a truncated shard", damage: { shards: 2, cutBytes: 5 }, code: "corrupt-checkpoint", names: ["model-00002-of-00002.safetensors", "truncated"] },
  { what: "a missing shard", damage: { shards: 2, withoutFiles: ["model-00002-of-00002.safetensors"] }, code: "file-not-found", names: ["model-00002-of-00002.safetensors"] },
  { what: "no weights", damage: { withoutFiles: ["model.safetensors"] }, code: "file-not-found", names: ["model.safetensors"] },
  { what: "no config", damage: { withoutFiles: ["config.json"] }, code: "file-not-found", names: ["config.json"] },
];

for (const [title, cases] of [
  ["a checkpoint whose tensors are not those of its config is refused, naming the tensor", TENSOR_CASES],
  ["a checkpoint that lacks a file or the end of one is refused, naming the file", FILE_CASES],
] as const) {
  test(title, async ({ harness }) => {
    const failures = await harness.run<(Failure | "loaded")[]>(PAGE, "loadDamaged", cases.map(({ damage }) => damage));
    for (const [i, { what, code, names }] of cases.entries()) {
      expect.soft(failures[i], what).toMatchObject({ code });
      for (const name of names) expect.soft(failures[i], what).toMatchObject({ message: expect.stringContaining(name) });
    }
  });
}

test("weights in two shards give the logits of transformers", async ({ harness }) => {
  expect(await harness.run<number>(PAGE, "shardedDeviation", 2)).toBeLessThan(1e-3);
});

for (const { title, config, names } of [
  {
    title: "a model_type that Hearth does not run is refused before any weight is requested, with a list of those it runs",
    config: { model_type: "mamba", architectures: ["MambaForCausalLM"] },
    names: ["mamba", "llama", "mistral", "qwen2", "qwen3"],
  },
  {
    title: "a quantisation that Hearth does not read is refused before any weight is requested, by name",
    config: {
      model_type: "llama", hidden_size: 64, intermediate_size: 128, num_hidden_layers: 1, num_attention_heads: 4, vocab_size: 100,
      quantization_config: { quant_method: "aqlm", nbits_per_codebook: 16 },
    },
    names: ["aqlm", "MLX affine"],
  },
]) {
  test(title, async ({ harness }, testInfo) => {
    const folder = testInfo.outputPath("model");
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/config.json`, JSON.stringify(config));
    writeFileSync(`${folder}/model.safetensors`, "never read");
    const requested: string[] = [];
    const serve = serveFolder("/model/", folder, (name) => requested.push(name));
    const server = createServer((request, response) => serve(request, response, () => response.writeHead(404).end()));
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const { port } = server.address() as AddressInfo; // a TCP server's address is no string
    const failure = await harness.run<Failure>(PAGE, "failureOf", `http://localhost:${port}/model/`);
    server.close();
    expect(failure.code).toBe("unsupported-checkpoint");
    for (const name of names) expect(failure.message).toContain(name);
    expect([...new Set(requested)]).toEqual(["hearth.json", "config.json"]);
  });
}
