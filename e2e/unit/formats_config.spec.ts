import { readFile, readdir } from "node:fs/promises";

import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import { parseGenerationConfig, parseModelConfig, readModelType } from "../../src/formats/model_config.ts";

const LLAMA = {
  model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 64, intermediate_size: 96,
  num_hidden_layers: 4, num_attention_heads: 4, vocab_size: 128,
};

function parse(changes: Record<string, unknown>) {
  return parseModelConfig(JSON.stringify({ ...LLAMA, ...changes }));
}

function problem(text: string): HearthError {
  try {
    parseModelConfig(text);
  } catch (error) {
    if (error instanceof HearthError) return error;
    throw error;
  }
  throw new Error("expected parseModelConfig to refuse");
}

test("a sparse config leaves every absent key undefined", () => {
  expect(parse({})).toEqual({
    modelType: "llama", architectures: ["LlamaForCausalLM"], hiddenSize: 64, intermediateSize: 96, layers: 4, heads: 4,
    vocabSize: 128, rope: { type: "default" }, eosTokenIds: [],
  });
});

test("the bundled model's config and generation config read back", async () => {
  const text = (name: string) => readFile(new URL(`../../public/models/hearth-tiny/${name}`, import.meta.url), "utf8");
  expect(parseModelConfig(await text("config.json"))).toEqual({
    modelType: "qwen3", architectures: ["Qwen3ForCausalLM"], hiddenSize: 384, intermediateSize: 1024, layers: 8, heads: 6,
    kvHeads: 2, headDim: 64, vocabSize: 7168, maxPositionEmbeddings: 1024, rmsNormEps: 1e-6, hiddenAct: "silu",
    dtype: "float16", tieWordEmbeddings: true, attentionBias: false, slidingWindow: null, useSlidingWindow: false,
    rope: { theta: 10000, type: "default" }, eosTokenIds: [2],
    quantization: {
      groupSize: 64, bits: 4, mode: "affine",
      overrides: new Map([["model.embed_tokens", { groupSize: 64, bits: 8, mode: "affine" }]]),
    },
  });
  expect(parseGenerationConfig(await text("generation_config.json")))
    .toEqual({ eosTokenIds: [2, 0], doSample: true, temperature: 0.7, topK: 40, topP: 0.95 });
});

test("every golden model's config parses", async () => {
  const folder = new URL("../goldens/", import.meta.url);
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".json"))) {
    const { config } = JSON.parse(await readFile(new URL(name, folder), "utf8"));
    if (config === undefined) continue;
    const parsed = parseModelConfig(JSON.stringify(config), name);
    expect(parsed.modelType).toBe(config.model_type);
    expect(parsed.layers).toBe(config.num_hidden_layers);
  }
});

test("the version 4 rope keys are read, with type as a spelling of rope_type", () => {
  const scaling = { type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
  expect(parse({ rope_theta: 5e5, rope_scaling: scaling }).rope).toEqual({
    theta: 5e5, type: "llama3", factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPosition: 8192,
  });
  expect(parse({ rope_scaling: null }).rope).toEqual({ type: "default" });
  expect(parse({ rope_scaling: { rope_type: "yarn", type: "linear", factor: 4 } }).rope.type).toBe("yarn");
  expect(parse({ rotary_pct: 0.25, rotary_emb_base: 20000 }).rope).toEqual({ theta: 20000, type: "default", partialRotaryFactor: 0.25 });
});

test("the version 5 rope_parameters win over rope_theta and rope_scaling", () => {
  const parameters = {
    rope_type: "yarn", rope_theta: 1e6, factor: 4, original_max_position_embeddings: 32768, beta_fast: 32, beta_slow: 1,
    mscale: 1, mscale_all_dim: 1, attention_factor: 1.2, truncate: false, partial_rotary_factor: 0.5,
  };
  expect(parse({ rope_theta: 10, rope_scaling: { type: "linear", factor: 2 }, rope_parameters: parameters }).rope).toEqual({
    theta: 1e6, type: "yarn", factor: 4, originalMaxPosition: 32768, betaFast: 32, betaSlow: 1, mscale: 1,
    mscaleAllDim: 1, attentionFactor: 1.2, truncate: false, partialRotaryFactor: 0.5,
  });
});

test("rope_parameters per layer type give one rope for full attention and one for windows", () => {
  const rope = { rope_type: "default", rope_theta: 1e6 };
  const own = { rope_type: "linear", rope_theta: 1e4, factor: 8 };
  expect(parse({ rope_parameters: { sliding_attention: own, full_attention: rope } })).toMatchObject({
    rope: { type: "default", theta: 1e6 }, slidingRope: { type: "linear", theta: 1e4, factor: 8 },
  });
  expect(parse({ rope_theta: 1e6, rope_local_base_freq: 1e4 })).toMatchObject({ rope: { theta: 1e6 }, slidingRope: { type: "default", theta: 1e4 } });
  expect(parse({ rope_parameters: rope }).slidingRope).toBeUndefined();
});

test("a null sliding_window differs from an absent one", () => {
  expect(parse({}).slidingWindow).toBeUndefined();
  expect(parse({ sliding_window: null }).slidingWindow).toBeNull();
  expect(parse({ sliding_window: 4096 }).slidingWindow).toBe(4096);
});

test("a wrapper's text_config is used and inherits what it lacks from the top", () => {
  const wrapper = {
    model_type: "mistral3", architectures: ["Mistral3ForConditionalGeneration"], hidden_size: 9999, eos_token_id: 2,
    tie_word_embeddings: true, quantization: { group_size: 32, bits: 8 },
    text_config: { ...LLAMA, model_type: "mistral", eos_token_id: [2, 7] },
  };
  const config = parseModelConfig(JSON.stringify(wrapper));
  expect(config).toMatchObject({ modelType: "mistral", hiddenSize: 64, tieWordEmbeddings: true, eosTokenIds: [2, 7] });
  expect(config.quantization).toEqual({ groupSize: 32, bits: 8, mode: "affine", overrides: new Map() });
  const own = { ...wrapper, text_config: { ...wrapper.text_config, tie_word_embeddings: false } };
  expect(parseModelConfig(JSON.stringify(own)).tieWordEmbeddings).toBe(false);
});

test("MLX overrides are read per module, with the mode's own defaults", () => {
  const quantization = {
    group_size: 64, bits: 4, "a.b": { bits: 8 }, "c.d": false, "e.f": true, "g.h": { mode: "mxfp8" }, __proto__x: "ignored",
  };
  expect(parse({ quantization }).quantization).toEqual({
    groupSize: 64, bits: 4, mode: "affine",
    overrides: new Map<string, unknown>([
      ["a.b", { groupSize: 64, bits: 8, mode: "affine" }], ["c.d", false],
      ["e.f", { groupSize: 64, bits: 4, mode: "affine" }], ["g.h", { groupSize: 32, bits: 8, mode: "mxfp8" }],
    ]),
  });
  expect(parse({ quantization_config: { group_size: 128, bits: 3 } }).quantization).toMatchObject({ groupSize: 128, bits: 3 });
});

test("other quantisation methods are read by name, with what their tensors do not tell", () => {
  expect(parse({ quantization_config: { quant_method: "gptq", bits: 4, group_size: 128, desc_act: true, checkpoint_format: "gptq_v2" } }).quantization)
    .toEqual({ method: "gptq", bits: 4, groupSize: 128, weightBits: [], blockSize: undefined, actOrder: true, format: "gptq_v2", isOnline: false, hasTransforms: false });
  expect(parse({ quantization_config: { quant_method: "awq", w_bit: 4, q_group_size: 64, version: "GEMM" } }).quantization)
    .toEqual({ method: "awq", bits: 4, groupSize: 64, weightBits: [], blockSize: undefined, actOrder: false, format: "gemm", isOnline: false, hasTransforms: false });
  expect(parse({ quantization_config: { load_in_4bit: true } }).quantization).toMatchObject({ method: "unknown" });
  expect(parse({ compression_config: { quant_method: "compressed-tensors", transform_config: { r1: {} } } }).quantization)
    .toMatchObject({ method: "compressed-tensors", hasTransforms: true });
  expect(parse({}).quantization).toBeUndefined();
});

const refused: [key: string, value: unknown, expectation: RegExp][] = [
  ["hidden_size", undefined, /hidden_size: expected an integer from 1 to \d+, found nothing/],
  ["hidden_size", "64", /hidden_size: expected an integer .* found "64"/],
  ["hidden_size", 0, /found 0/],
  ["num_hidden_layers", 1e9, /num_hidden_layers: .* found 1000000000/],
  ["num_attention_heads", 2.5, /found 2.5/],
  ["vocab_size", -1, /found -1/],
  ["num_key_value_heads", [4], /found a list of 1/],
  ["intermediate_size", null, /found null/],
  ["rms_norm_eps", "tiny", /rms_norm_eps: expected a number/],
  ["tie_word_embeddings", 1, /tie_word_embeddings: expected true or false, found 1/],
  ["layer_types", [1], /layer_types: expected a list of strings/],
  ["eos_token_id", [2, -1], /eos_token_id/],
  ["rope_scaling", { factor: "4" }, /rope_scaling\.factor: expected a number/],
  ["rope_scaling", [], /rope_scaling: expected an object/],
  ["rope_theta", 0, /rope_theta/],
  ["quantization", { bits: 99 }, /quantization\.bits: expected an integer from 1 to 16, found 99/],
  ["quantization", { mode: "toString" }, /quantization\.group_size: expected a group size for mode "toString"/],
];

for (const [key, value, expectation] of refused) {
  test(`a config whose ${key} is ${JSON.stringify(value)} is refused by that name`, () => {
    const error = problem(JSON.stringify({ ...LLAMA, [key]: value }));
    expect(error.code).toBe("corrupt-checkpoint");
    expect(error.message).toMatch(expectation);
    expect(error.message).toContain("config.json");
  });
}

test("a config that is no JSON object, too deep or too long is refused", () => {
  for (const text of ["", "[]", "null", "<!doctype html>", "[".repeat(1e6), `{"a":${"[".repeat(200)}${"]".repeat(200)}}`]) {
    expect(problem(text).code).toBe("corrupt-checkpoint");
  }
  expect(problem(`"${"x".repeat(17 * 1024 * 1024)}"`).message).toMatch(/at most/);
});

test("the literals that Python writes for unbounded values are read", () => {
  const text = JSON.stringify({ ...LLAMA, time_step_limit: "@" }).replace('"@"', "[0.0, Infinity, -Infinity, NaN]");
  expect(parseModelConfig(text).modelType).toBe("llama");
  expect(problem(text.replace('"hidden_size":64', '"hidden_size":Infinity')).message).toMatch(/hidden_size/);
});

test("the model type can be read from a config that lacks everything else", () => {
  expect(readModelType('{"model_type":"mamba2"}')).toBe("mamba2");
  expect(readModelType('{"model_type":"gemma3","text_config":{"model_type":"gemma3_text"}}')).toBe("gemma3_text");
  expect(readModelType('{"model_type":"gemma3","text_config":{}}')).toBe("gemma3");
  expect(readModelType('{"architectures":["GPT2LMHeadModel"]}')).toBe("GPT2LMHeadModel");
  expect(() => readModelType("{}")).toThrow(/model_type/);
});

test("generation config keys may be null, single or lists, and -1 switches top_k off", () => {
  expect(parseGenerationConfig('{"eos_token_id":5,"top_k":-1,"temperature":null}')).toEqual({ eosTokenIds: [5], topK: 0 });
  expect(parseGenerationConfig("{}")).toEqual({ eosTokenIds: [] });
  expect(() => parseGenerationConfig('{"temperature":"hot"}')).toThrow(HearthError);
});

test("keys named like object internals change nothing", () => {
  const config = parseModelConfig(`{"__proto__":{"polluted":1},"constructor":{},${JSON.stringify(LLAMA).slice(1)}`);
  expect(config.modelType).toBe("llama");
  expect(Object.keys(Object.prototype)).toEqual([]);
});
