// Writes a decoder with random Q4_0 weights as a GGUF file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

import { codeScale, filled, writeAll, writeQ4Blocks } from "./random_weights.mjs";
import { CONTEXT_LENGTH, EPSILON, ROPE_THETA } from "./shapes.mjs";

const ALIGNMENT = 32;
const FILE_TYPE_Q4_0 = 2;
const F32 = 0; // ggml's numbers of tensor types
const Q4_0 = 2;
const NORMAL = 1; // llama.cpp's kinds of token
const BYTE = 6;

const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
// Kinds of metadata, as [number, writer].
const KINDS = {
  u32: [4, u32],
  i32: [5, u32],
  f32: [6, (value) => Buffer.from(Float32Array.of(value).buffer)],
  bool: [7, (value) => Buffer.of(Number(value))],
  text: [8, text],
};

/** Write one GGUF file. */
export function writeGguf(path, shape) {
  const tensors = listTensors(shape);
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  const fields = metadata(shape);
  const head = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(fields.length), ...fields];
  let offset = 0;
  for (const { name, dims, type, byteLength } of tensors) {
    head.push(text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset));
    offset += padded(byteLength);
  }
  const joined = Buffer.concat(head);
  writeAll(file, Buffer.concat([joined, Buffer.alloc(padded(joined.length) - joined.length)]));
  for (const tensor of tensors) {
    if (tensor.type === F32) writeAll(file, filled(tensor.dims[0], 1, "f32"));
    else writeQ4Blocks(file, tensor.byteLength / 18, codeScale(tensor.dims[0]));
    writeAll(file, Buffer.alloc(padded(tensor.byteLength) - tensor.byteLength));
  }
  closeSync(file);
}

function padded(byteLength) {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

function listTensors({ hiddenSize, intermediateSize, layers, heads, kvHeads, headDim, vocabSize, headNorms }) {
  const matrix = (name, rows, columns) => ({ name: `${name}.weight`, dims: [columns, rows], type: Q4_0, byteLength: (rows * columns * 18) / 32 });
  const gains = (name, width) => ({ name: `${name}.weight`, dims: [width], type: F32, byteLength: 4 * width });
  const layer = (index) => {
    const at = (name) => `blk.${index}.${name}`;
    return [
      gains(at("attn_norm"), hiddenSize),
      matrix(at("attn_q"), heads * headDim, hiddenSize),
      matrix(at("attn_k"), kvHeads * headDim, hiddenSize),
      matrix(at("attn_v"), kvHeads * headDim, hiddenSize),
      ...(headNorms ? [gains(at("attn_q_norm"), headDim), gains(at("attn_k_norm"), headDim)] : []),
      matrix(at("attn_output"), hiddenSize, heads * headDim),
      gains(at("ffn_norm"), hiddenSize),
      matrix(at("ffn_gate"), intermediateSize, hiddenSize),
      matrix(at("ffn_up"), intermediateSize, hiddenSize),
      matrix(at("ffn_down"), hiddenSize, intermediateSize),
    ];
  };
  return [matrix("token_embd", vocabSize, hiddenSize), ...Array.from({ length: layers }, (_, index) => layer(index)).flat(), gains("output_norm", hiddenSize)];
}

function metadata(shape) {
  const architecture = shape.modelType;
  const field = (key, kind, value) => Buffer.concat([text(key), u32(KINDS[kind][0]), KINDS[kind][1](value)]);
  const list = (key, kind, values) => Buffer.concat([text(key), u32(9), u32(KINDS[kind][0]), u64(values.length), ...values.map(KINDS[kind][1])]);
  const own = (key, kind, value) => field(`${architecture}.${key}`, kind, value);
  const tokens = vocabulary(shape.vocabSize);
  return [
    field("general.architecture", "text", architecture),
    field("general.file_type", "u32", FILE_TYPE_Q4_0),
    own("block_count", "u32", shape.layers),
    own("context_length", "u32", CONTEXT_LENGTH),
    own("embedding_length", "u32", shape.hiddenSize),
    own("feed_forward_length", "u32", shape.intermediateSize),
    own("attention.head_count", "u32", shape.heads),
    own("attention.head_count_kv", "u32", shape.kvHeads),
    own("attention.key_length", "u32", shape.headDim),
    own("attention.value_length", "u32", shape.headDim),
    own("attention.layer_norm_rms_epsilon", "f32", EPSILON),
    own("rope.dimension_count", "u32", shape.headDim),
    own("rope.freq_base", "f32", ROPE_THETA),
    own("vocab_size", "u32", shape.vocabSize),
    field("tokenizer.ggml.model", "text", "llama"),
    list("tokenizer.ggml.tokens", "text", tokens.map(({ piece }) => piece)),
    list("tokenizer.ggml.scores", "f32", tokens.map((_, index) => -index)),
    list("tokenizer.ggml.token_type", "i32", tokens.map(({ kind }) => kind)),
    field("tokenizer.ggml.unknown_token_id", "u32", 0),
    field("tokenizer.ggml.bos_token_id", "u32", 1),
    field("tokenizer.ggml.eos_token_id", "u32", 2),
    field("tokenizer.ggml.add_bos_token", "bool", false),
    field("tokenizer.ggml.add_space_prefix", "bool", false),
  ];
}

/** Tokens under which each ASCII letter of a text is one token. */
function vocabulary(size) {
  const special = ["<unk>", "<s>", "</s>"].map((piece, index) => ({ piece, kind: index === 0 ? 2 : 3 }));
  const singles = Array.from({ length: 256 }, (_, byte) => ({ piece: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, kind: BYTE }));
  const rest = Array.from({ length: size - 259 }, (_, index) => ({ piece: `word${index}`, kind: NORMAL }));
  return [...special, ...singles, ...rest];
}
