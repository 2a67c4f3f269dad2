// Writes a decoder with random 4-bit weights as transformers.js lays models out: the graph that onnxruntime's own model
// builder makes for WebGPU (MatMulNBits, GroupQueryAttention with its rotary embedding, SkipSimplifiedLayerNormalization),
// but for one kindness: logits of the last position only.
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { externalTensor, inlineTensor, int, model, node, value } from "./onnx_graph.mjs";
import { codeScale, filled, toHalf, writeAll, writeCodes } from "./random_weights.mjs";
import { CONTEXT_LENGTH, EPSILON, ROPE_THETA } from "./shapes.mjs";

const BLOCK = 32; // weights to a scale
const MICROSOFT = "com.microsoft";

/** Write config.json, onnx/model_*.onnx and its data into a folder; `type` is that of activations and cache. */
export function writeOnnx(folder, shape, type) {
  const stem = type === "f16" ? "model_q4f16" : "model_q4";
  mkdirSync(join(folder, "onnx"), { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config(shape)));
  writeFileSync(join(folder, "generation_config.json"), "{}");
  const data = new ExternalData(join(folder, "onnx", `${stem}.onnx_data`), type);
  const graph = decoder(shape, type, data);
  data.close();
  writeFileSync(join(folder, "onnx", `${stem}.onnx`), model({ ...graph, tensors: [...data.tensors, ...constants(shape)] }));
}

class ExternalData {
  tensors = [];
  #file;
  #location;
  #type;
  #offset = 0;

  constructor(path, type) {
    this.#file = openSync(path, "w");
    this.#location = path.split(/[\\/]/).at(-1);
    this.#type = type;
  }

  close() {
    closeSync(this.#file);
  }

  /** A vector or matrix of given bytes, in the type of activations. */
  add(name, dims, body) {
    this.#note(name, this.#type, dims, body.length);
    writeAll(this.#file, body);
    return name;
  }

  gains(name, width) {
    return this.add(name, [width], filled(width, 1, this.#type));
  }

  /** A random matrix: codes, and one scale for each block. */
  matrix(name, rows, columns, codeDims = [rows, columns / BLOCK, BLOCK / 2], scaleDims = [(rows * columns) / BLOCK]) {
    this.#note(`${name}.codes`, "u8", codeDims, (rows * columns) / 2);
    writeCodes(this.#file, (rows * columns) / 2);
    this.add(`${name}.scales`, scaleDims, filled((rows * columns) / BLOCK, codeScale(columns), this.#type));
    return [`${name}.codes`, `${name}.scales`];
  }

  #note(name, type, dims, length) {
    this.tensors.push(externalTensor(name, type, dims, { location: this.#location, offset: this.#offset, length }));
    this.#offset += length;
  }
}

function decoder(shape, type, data) {
  const { hiddenSize, vocabSize, layers, kvHeads, headDim } = shape;
  const nodes = [...lengths()];
  const embedding = data.matrix("embedding", vocabSize, hiddenSize, [vocabSize, hiddenSize / 2], [vocabSize, hiddenSize / BLOCK]);
  nodes.push(node(MICROSOFT, "GatherBlockQuantized", [embedding[0], "input_ids", embedding[1]], ["x"], { bits: int(4), block_size: int(BLOCK), gather_axis: int(0), quantize_axis: int(1) }));
  nodes.push(node("", "SimplifiedLayerNormalization", ["x", data.gains("norm.0", hiddenSize)], ["normed.0.attention"], { axis: int(-1), epsilon: EPSILON, stash_type: int(1) }));
  const rotation = rotaryTables(shape, type).map((body, index) => data.add(["cos", "sin"][index], [CONTEXT_LENGTH, headDim / 2], body));
  let residual = "x";
  const addAndNorm = (branch, normed) => {
    nodes.push(node(MICROSOFT, "SkipSimplifiedLayerNormalization", [residual, branch, data.gains(`${normed}.gains`, hiddenSize)], [normed, "", "", `${normed}.sum`], { epsilon: EPSILON }));
    residual = `${normed}.sum`;
  };
  for (let layer = 0; layer < layers; layer++) {
    nodes.push(...attention(shape, data, layer, rotation));
    addAndNorm(`${layer}.attention`, `normed.${layer}.mlp`);
    nodes.push(...mlp(shape, data, layer));
    addAndNorm(`${layer}.mlp`, layer + 1 < layers ? `normed.${layer + 1}.attention` : "normed.last");
  }
  nodes.push(node("", "Gather", ["normed.last", "last"], ["last_hidden"], { axis: int(1) }));
  nodes.push(product(data, "last_hidden", "raw_logits", vocabSize, hiddenSize), node("", "Cast", ["raw_logits"], ["logits"], { to: int(1) }));
  const cache = (prefix, length) => Array.from({ length: layers }, (_, layer) => ["key", "value"].map((part) => value(`${prefix}.${layer}.${part}`, type, [1, kvHeads, length, headDim]))).flat();
  return {
    nodes,
    inputs: [value("input_ids", "i64", [1, "tokens"]), value("attention_mask", "i64", [1, "total"]), ...cache("past_key_values", "past")],
    outputs: [value("logits", "f32", [1, 1, vocabSize]), ...cache("present", "total")],
  };
}

function product(data, input, output, rows, columns) {
  const attributes = { K: int(columns), N: int(rows), bits: int(4), block_size: int(BLOCK), accuracy_level: int(4) };
  return node(MICROSOFT, "MatMulNBits", [input, ...data.matrix(`${output}.weight`, rows, columns)], [output], attributes);
}

function attention({ hiddenSize, heads, kvHeads, headDim, headNorms }, data, layer, rotation) {
  const at = (name) => `${layer}.${name}`;
  const input = `normed.${layer}.attention`;
  const past = ["key", "value"].map((part) => `past_key_values.${layer}.${part}`);
  const present = ["key", "value"].map((part) => `present.${layer}.${part}`);
  const attributes = { num_heads: int(heads), kv_num_heads: int(kvHeads), scale: 1 / Math.sqrt(headDim), do_rotary: int(1) };
  const attend = (query, key, values) => node(MICROSOFT, "GroupQueryAttention", [query, key, values, ...past, "seqlens", "total", ...rotation], [at("attended"), ...present], attributes);
  const output = product(data, at("attended"), at("attention"), hiddenSize, heads * headDim);
  if (!headNorms) return [product(data, input, at("qkv"), (heads + 2 * kvHeads) * headDim, hiddenSize), attend(at("qkv"), "", ""), output];
  const normed = (name) => [
    node("", "Reshape", [at(name), "by_head"], [at(`${name}_heads`)]),
    node("", "SimplifiedLayerNormalization", [at(`${name}_heads`), data.gains(at(`${name}_gains`), headDim)], [at(`${name}_normed`)], { axis: int(-1), epsilon: EPSILON, stash_type: int(1) }),
    node("", "Reshape", [at(`${name}_normed`), `${name}_flat`], [at(`${name}_out`)]),
  ];
  return [
    product(data, input, at("query"), heads * headDim, hiddenSize),
    product(data, input, at("key"), kvHeads * headDim, hiddenSize),
    product(data, input, at("value"), kvHeads * headDim, hiddenSize),
    ...normed("query"),
    ...normed("key"),
    attend(at("query_out"), at("key_out"), at("value")),
    output,
  ];
}

function mlp({ hiddenSize, intermediateSize }, data, layer) {
  const at = (name) => `${layer}.${name}`;
  const input = `normed.${layer}.mlp`;
  return [
    product(data, input, at("gate"), intermediateSize, hiddenSize),
    product(data, input, at("up"), intermediateSize, hiddenSize),
    node("", "Sigmoid", [at("gate")], [at("sigmoid")]),
    node("", "Mul", [at("gate"), at("sigmoid")], [at("silu")]),
    node("", "Mul", [at("silu"), at("up")], [at("gated")]),
    product(data, at("gated"), at("mlp"), hiddenSize, intermediateSize),
  ];
}

/** What GroupQueryAttention wants to know of the cache, from the attention mask. */
function lengths() {
  return [
    node("", "ReduceSum", ["attention_mask", "axis_one"], ["total_by_sequence"], { keepdims: int(0) }),
    node("", "Sub", ["total_by_sequence", "axis_one"], ["last_position"]),
    node("", "Cast", ["last_position"], ["seqlens"], { to: int(6) }),
    node("", "Shape", ["attention_mask"], ["mask_shape"]),
    node("", "Gather", ["mask_shape", "index_one"], ["total_wide"], { axis: int(0) }),
    node("", "Cast", ["total_wide"], ["total"], { to: int(6) }),
  ];
}

function constants({ heads, kvHeads, headDim }) {
  const integers = (name, dims, ...values) => inlineTensor(name, "i64", dims, Buffer.from(BigInt64Array.from(values, BigInt).buffer));
  return [
    integers("axis_one", [1], 1),
    integers("index_one", [], 1),
    integers("last", [1], -1),
    integers("by_head", [3], 1, -1, headDim), // a row for each head of each token
    integers("query_flat", [3], 1, -1, heads * headDim),
    integers("key_flat", [3], 1, -1, kvHeads * headDim),
  ];
}

/** Cosines and sines, [position, headDim / 2]. */
function rotaryTables({ headDim }, type) {
  const half = headDim / 2;
  const angle = (index) => Math.floor(index / half) * ROPE_THETA ** (-(index % half) / half);
  return [Math.cos, Math.sin].map((wave) => {
    const table = Float32Array.from({ length: CONTEXT_LENGTH * half }, (_, index) => wave(angle(index)));
    return Buffer.from((type === "f32" ? table : Uint16Array.from(table, toSignedHalf)).buffer);
  });
}

function toSignedHalf(number) {
  const size = Math.abs(number);
  if (size < 2 ** -14) return 0;
  return (number < 0 ? 0x8000 : 0) | toHalf(size);
}

function config({ modelType, hiddenSize, intermediateSize, layers, heads, kvHeads, headDim, vocabSize }) {
  return {
    model_type: modelType,
    architectures: [modelType === "llama" ? "LlamaForCausalLM" : "Qwen3ForCausalLM"],
    hidden_size: hiddenSize,
    intermediate_size: intermediateSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    vocab_size: vocabSize,
    max_position_embeddings: CONTEXT_LENGTH,
    "transformers.js_config": { use_external_data_format: true },
  };
}
