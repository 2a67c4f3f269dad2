import type { RandomValues } from "../kernels/random_values.ts";
import { type FormatCase, type StoredTensor, tensorName } from "./stored_module.ts";

const HIDDEN = 128;
const INTERMEDIATE = 192;
/** Tokens of the tiny model. */
export const VOCABULARY = 96;

/** A Llama of one layer, whose rows end in part of a block or group. */
export const TINY_CONFIG = {
  model_type: "llama", hidden_size: HIDDEN, intermediate_size: INTERMEDIATE, num_hidden_layers: 1, num_attention_heads: 4,
  num_key_value_heads: 2, vocab_size: VOCABULARY, max_position_embeddings: 64, tie_word_embeddings: true, rms_norm_eps: 1e-5,
};

const LINEARS: readonly [module: string, rows: number, columns: number][] = [
  ["self_attn.q_proj", HIDDEN, HIDDEN],
  ["self_attn.k_proj", HIDDEN / 2, HIDDEN],
  ["self_attn.v_proj", HIDDEN / 2, HIDDEN],
  ["self_attn.o_proj", HIDDEN, HIDDEN],
  ["mlp.gate_proj", INTERMEDIATE, HIDDEN],
  ["mlp.up_proj", INTERMEDIATE, HIDDEN],
  ["mlp.down_proj", HIDDEN, INTERMEDIATE],
];

/** A checkpoint in a format, and one of the same weights in f32. */
export function tinyCheckpoints(format: FormatCase, random: RandomValues): { stored: File[]; plain: File[] } {
  const stored: StoredTensor[] = [];
  const plain: StoredTensor[] = [];
  const addPlain = (name: string, shape: number[], values: ArrayLike<number>, lists: StoredTensor[][]) => {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    for (const list of lists) list.push({ suffix: name, dtype: "F32", shape, bytes });
  };
  const addPacked = (module: string, rows: number, columns: number) => {
    const { tensors, weights } = format.pack(random, rows, columns, module);
    stored.push(...tensors.map((tensor) => ({ ...tensor, suffix: tensorName(module, tensor) })));
    addPlain(`${module}.weight`, [rows, columns], weights, [plain]);
  };
  if (format.packsEmbedding) addPacked("model.embed_tokens", VOCABULARY, HIDDEN);
  else addPlain("model.embed_tokens.weight", [VOCABULARY, HIDDEN], random.floats(VOCABULARY * HIDDEN, 0.1), [stored, plain]);
  for (const [module, rows, columns] of LINEARS) addPacked(`model.layers.0.${module}`, rows, columns);
  for (const norm of ["model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm", "model.norm"]) {
    addPlain(`${norm}.weight`, [HIDDEN], random.floats(HIDDEN, 0.1).map((value) => 1 + value), [stored, plain]);
  }
  const beside = format.file ? [new File([format.file.text], format.file.name)] : [];
  return { stored: [...files({ ...TINY_CONFIG, ...format.config }, stored), ...beside], plain: files(TINY_CONFIG, plain) };
}

/** A float checkpoint just past 256 MiB: a wide embedding with little beside it, all zeros. */
export function wideCheckpoint(): File[] {
  const [hidden, vocabulary, width] = [4096, 16_384, 64];
  const config = { ...TINY_CONFIG, hidden_size: hidden, vocab_size: vocabulary, intermediate_size: width, num_attention_heads: 1, num_key_value_heads: 1, head_dim: width };
  const layer = (module: string, ...shape: number[]): [string, number[]] => [`model.layers.0.${module}.weight`, shape];
  const shapes: [string, number[]][] = [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ...["q_proj", "k_proj", "v_proj"].map((name) => layer(`self_attn.${name}`, width, hidden)),
    layer("self_attn.o_proj", hidden, width),
    ...["gate_proj", "up_proj"].map((name) => layer(`mlp.${name}`, width, hidden)),
    layer("mlp.down_proj", hidden, width),
    layer("input_layernorm", hidden),
    layer("post_attention_layernorm", hidden),
    ["model.norm.weight", [hidden]],
  ];
  return files(config, shapes.map(([suffix, shape]) => ({ suffix, dtype: "F32", shape, bytes: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)) })));
}

/** A checkpoint of tensors, one after another without padding, so that most begin at no multiple of their size. */
export function files(config: unknown, tensors: readonly StoredTensor[]): File[] {
  const odd: StoredTensor = { suffix: "model.rotary_emb.inv_freq", dtype: "U8", shape: [3], bytes: new Uint8Array(3) };
  let offset = 0;
  const entries = [odd, ...tensors].map(({ suffix, dtype, shape, bytes }) => {
    const begin = offset;
    offset += bytes.byteLength;
    return [suffix, { dtype, shape, data_offsets: [begin, offset] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const parts = [new BigUint64Array([BigInt(header.byteLength)]), header, ...[odd, ...tensors].map(({ bytes }) => bytes)];
  return [new File([JSON.stringify(config)], "config.json"), new File(parts, "model.safetensors")];
}
