import assert from "node:assert/strict";

import { expect, test } from "@playwright/test";
import fc from "fast-check";

import { scanJson } from "../../src/formats/json_scanner.ts";
import { parseGenerationConfig, parseModelConfig } from "../../src/formats/model_config.ts";
import { DTYPE_BITS, parseSafetensorsHeader, type Dtype, type SafetensorsHeader } from "../../src/formats/safetensors.ts";
import { parseShardIndex } from "../../src/formats/shard_index.ts";
import { anyJson, anyName, checkProperty, outcome } from "./fuzz_support.ts";

const utf8 = new TextEncoder();
const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text);

/** A tensor of a sound header, before it has a place. */
interface Plan {
  name: string;
  dtype: Dtype;
  shape: number[];
}

const plans = fc.uniqueArray(
  fc.record({
    name: anyName.filter((name) => name !== "__metadata__" && isWellFormed(name)),
    dtype: fc.constantFrom(...(Object.keys(DTYPE_BITS) as Dtype[])),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  }).filter(({ dtype, shape }) => bits({ dtype, shape }) % 8 === 0),
  { selector: ({ name }) => name, maxLength: 8 },
);

function bits({ dtype, shape }: Pick<Plan, "dtype" | "shape">): number {
  return shape.reduce((product, size) => product * size, DTYPE_BITS[dtype]);
}

/** Lay the tensors out one after the other and write their entries. */
function entriesOf(tensors: readonly Plan[]): { entries: [string, string][]; dataBytes: number } {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape }): [string, string] => {
    const begin = end;
    end += bits({ dtype, shape }) / 8;
    return [name, `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`];
  });
  return { entries, dataBytes: end };
}

function headerText(entries: readonly [string, string][]): string {
  return `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${entry}`).join()}}`;
}

function parse(header: string | Uint8Array, dataBytes: number): SafetensorsHeader {
  const bytes = typeof header === "string" ? utf8.encode(header) : header;
  return parseSafetensorsHeader(bytes, 8 + bytes.byteLength + dataBytes, "model.safetensors");
}

test("promise 24: every sound header is read back as it was written, in whatever order", async () => {
  const shuffled = plans.chain((tensors) => fc.record({ tensors: fc.constant(tensors), order: fc.shuffledSubarray(tensors, { minLength: tensors.length }) }));
  await checkProperty("sound headers", shuffled, ({ tensors, order }) => {
    const { entries, dataBytes } = entriesOf(tensors);
    const written = new Map(entries);
    const header = headerText(order.map(({ name }): [string, string] => [name, written.get(name) ?? ""]));
    const found = parse(header, dataBytes).tensors;
    assert.equal(found.size, tensors.length);
    const dataBegin = 8 + utf8.encode(header).byteLength;
    for (const { name, dtype, shape } of tensors) {
      const { data_offsets } = JSON.parse(written.get(name) ?? "");
      assert.deepEqual(found.get(name), { name, dtype, shape, begin: dataBegin + data_offsets[0], end: dataBegin + data_offsets[1] });
    }
  });
});

/** Ways to spoil a header that has at least two tensors of at least a byte each. */
const SPOILERS: Readonly<Record<string, (entries: [string, string][]) => string | Uint8Array>> = {
  "a name twice": (entries) => headerText([...entries, entries[0]]),
  "a gap": (entries) => headerText(entries.slice(1)),
  "an overlap": ([[name], ...rest]) => headerText([[name, '{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}'], ...rest]),
  "an end before its begin": ([[name, entry], ...rest]) => headerText([[name, entry.replace(/\[(\d+),(\d+)\]\}$/, "[$2,$1]}")], ...rest]),
  "an offset past 2^53": ([[name], ...rest]) => headerText([[name, '{"dtype":"U8","shape":[1],"data_offsets":[9007199254740993,9007199254740994]}'], ...rest]),
  "an overflow": ([[name], ...rest]) => headerText([[name, '{"dtype":"F64","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}'], ...rest]),
  "NaN": ([[name, entry], ...rest]) => headerText([[name, entry.replace("data_offsets\":[0", "data_offsets\":[NaN")], ...rest]),
  "an unknown dtype": ([[name, entry], ...rest]) => headerText([[name, entry.replace(/"dtype":"\w+"/, '"dtype":"F65"')], ...rest]),
  "another size": ([[name, entry], ...rest]) => headerText([[name, entry.replace('"shape":[', '"shape":[7,')], ...rest]),
  "a field twice": ([[name, entry], ...rest]) => headerText([[name, entry.replace("{", '{"shape":[1],')], ...rest]),
  "no UTF-8": (entries) => Uint8Array.of(...utf8.encode(headerText(entries)).slice(0, -1), 0xff, 0x7d),
  "a byte-order mark": (entries) => `\ufeff${headerText(entries)}`,
  "nothing": () => "",
  "an array": (entries) => `[${headerText(entries)}]`,
};

test("promise 24: every spoiled header is refused", async () => {
  const spoiled = fc.record({
    tensors: plans.map((tensors) => tensors.filter((tensor) => bits(tensor) > 0)).filter((tensors) => tensors.length >= 2),
    spoiler: fc.constantFrom(...Object.keys(SPOILERS)),
  });
  await checkProperty("spoiled headers", spoiled, ({ tensors, spoiler }) => {
    const { entries, dataBytes } = entriesOf(tensors);
    assert.equal(outcome(() => parse(SPOILERS[spoiler](entries), dataBytes)).code, "corrupt-checkpoint", spoiler);
  });
});

test("promise 24: whatever bytes a header has, it is refused, or its tensors share out the file", async () => {
  const edits = fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom("set", "cut", "repeat"), byte: fc.nat(255), length: fc.integer({ min: 1, max: 8 }) }), { maxLength: 4 });
  let survivors = 0;
  await checkProperty("edited headers", fc.record({ tensors: plans, edits }), ({ tensors, edits }) => {
    const { entries, dataBytes } = entriesOf(tensors);
    const bytes = [...utf8.encode(headerText(entries))];
    for (const { at, kind, byte, length } of edits) {
      const index = at % (bytes.length + 1);
      if (kind === "set") bytes[index] = byte;
      if (kind === "cut") bytes.splice(index, length);
      if (kind === "repeat") bytes.splice(index, 0, ...bytes.slice(index, index + length));
    }
    const { made, code } = outcome(() => parse(Uint8Array.from(bytes), dataBytes));
    if (made === undefined) return assert.equal(code, "corrupt-checkpoint");
    survivors++;
    const ranges = [...made.tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
    const ends = ranges.reduce((position, { begin, end }) => (begin === position && end >= begin ? end : Number.NaN), 8 + bytes.length);
    assert.equal(ends, 8 + bytes.length + dataBytes);
  });
  expect(survivors).toBeGreaterThan(0);
});

test("promise 24: any index is refused, or names plain files", async () => {
  const shard = fc.oneof(anyName.map((name) => JSON.stringify(name)), fc.constantFrom('"../a"', '"a/b"', '"a.safetensors"', '"..\\\\a"', '"https://a/b"'), anyJson);
  const index = fc.oneof(
    anyJson,
    fc.array(fc.tuple(anyName, shard), { maxLength: 5 }).map((entries) => `{"weight_map":{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}}`),
  );
  await checkProperty("indexes", index, (text) => {
    const { made, code } = outcome(() => parseShardIndex(text));
    if (made === undefined) assert.equal(code, "corrupt-checkpoint");
    else assert.deepEqual([...made.values()].filter((name) => name === "" || /[/\\]|\.\./.test(name)), []);
  });
});

test("promise 24: any config is read or refused", async () => {
  const known = ["model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size", "rope_scaling", "rope_parameters",
    "quantization_config", "text_config", "layer_types", "eos_token_id", "rms_norm_eps", "sliding_window", "tie_word_embeddings", "intermediate_size"];
  const sound = { model_type: '"llama"', hidden_size: "64", num_hidden_layers: "2", num_attention_heads: "4", vocab_size: "128", intermediate_size: "96" };
  const changes = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...known), anyName), anyJson), { maxLength: 4 });
  const config = fc.oneof(anyJson, changes.map((entries) => `{${[...Object.entries(sound), ...entries].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`));
  await checkProperty("configs", config, (text) => {
    for (const read of [() => parseModelConfig(text), () => parseGenerationConfig(text)]) {
      const { code } = outcome<unknown>(read);
      if (code !== undefined) assert.ok(["corrupt-checkpoint", "unsupported-checkpoint"].includes(code), code);
    }
  });
});

test("the scanner reads what JSON.parse reads, and refuses what it refuses", async () => {
  await checkProperty("JSON documents", fc.oneof(anyJson, fc.json(), fc.string()), (text) => {
    const hasLoneSurrogate = /\\u[dD][89a-fA-F]/.test(text) || !isWellFormed(text);
    if (hasLoneSurrogate) return; // JSON.parse takes them, the scanner does not
    const accepts = (read: () => unknown) => {
      try {
        read();
        return true;
      } catch {
        return false;
      }
    };
    assert.equal(accepts(() => scanJson(text, { fileName: "f" })), accepts(() => JSON.parse(text)), text);
  });
});
