import { expect, test } from "@playwright/test";

import { parseModelConfig } from "../../src/formats/model_config.ts";
import { decoderSpec, FAMILIES, requireFamily } from "../../src/models/registry.ts";

const SHAPE = { hidden_size: 64, intermediate_size: 96, num_hidden_layers: 4, num_attention_heads: 4, vocab_size: 128 };

function spec(config: Record<string, unknown>) {
  return decoderSpec(parseModelConfig(JSON.stringify({ ...SHAPE, ...config })), 64);
}

test("an unknown family is refused by name, with the list of those that run", () => {
  expect(() => requireFamily("mamba")).toThrow(/model_type "mamba" is not supported\. Supported are .*llama.*qwen3/);
  for (const name of FAMILIES.keys()) expect(() => requireFamily("")).toThrow(name);
});

test("what a family cannot do yet is refused by name", () => {
  expect(() => spec({ model_type: "llama", hidden_act: "tanhshrink" })).toThrow(/hidden_act "tanhshrink" is not supported\. Hearth knows silu/);
  expect(() => spec({ model_type: "llama", rope_scaling: { type: "spiral" } })).toThrow(/rope type "spiral" is not supported/);
  expect(() => spec({ model_type: "gemma3_text", use_bidirectional_attention: true })).toThrow(/use_bidirectional_attention/);
  expect(() => spec({ model_type: "llama", num_key_value_heads: 3 })).toThrow(/4 attention heads cannot share 3/);
  expect(() => spec({ model_type: "qwen3_moe", num_experts: 2, num_experts_per_tok: 4, moe_intermediate_size: 32 })).toThrow(/cannot choose 4 of 2 experts/);
});

test("a sparse wrapper of Gemma 3 takes the class's head counts and vocabulary", () => {
  const text = { model_type: "gemma3_text", hidden_size: 2560, intermediate_size: 10_240, num_hidden_layers: 34, sliding_window: 1024, rope_scaling: { rope_type: "linear", factor: 8 } };
  const { layers, vocabSize, embeddingScale } = decoderSpec(parseModelConfig(JSON.stringify({ model_type: "gemma3", text_config: text })), 64);
  expect([layers[0].attention?.heads, layers[0].attention?.kvHeads, layers[0].attention?.headDim, vocabSize]).toEqual([8, 4, 256, 262_208]);
  expect(layers.map(({ attention }) => attention?.window).slice(0, 6)).toEqual([1024, 1024, 1024, 1024, 1024, 0]);
  expect(embeddingScale).toBe(50.5); // the reference rounds it to bfloat16
});

test("long factors serve sessions that outgrow the trained length, and only those", () => {
  const config = (contextLength: number) => decoderSpec(parseModelConfig(JSON.stringify({
    ...SHAPE, model_type: "phi3", max_position_embeddings: 256, original_max_position_embeddings: 64, partial_rotary_factor: 0.75,
    rope_scaling: { type: "longrope", short_factor: [1, 1, 1, 1, 1, 1], long_factor: [2, 2, 2, 2, 2, 2] },
  })), contextLength).layers[0].attention?.rope.inverseFrequencies[0];
  expect([config(64), config(65)]).toEqual([1, 0.5]);
});
