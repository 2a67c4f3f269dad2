import { existsSync, readFileSync } from "node:fs";

import { expect, test } from "@playwright/test";

import { collectStopIds } from "../../src/text/stop_ids.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { loadTokenizer, realTokenizers, TINY, TOKENIZERS, TRICKY_TEXTS, VECTORS } from "./text_support.ts";

// The vectors of each name hold for the tokenizer in this folder.
const VECTOR_FOLDERS: Readonly<Record<string, string>> = {
  "gpt-2": "gpt2",
  "llama-bpe": "llama-3.2-1b-instruct",
  "llama-spm": "llama2",
  "phi-3": "phi-3-mini",
  qwen2: "qwen2.5-0.5b-instruct",
};

test.describe("real tokenizers", () => {
  test.skip(!existsSync(VECTORS) || !existsSync(TOKENIZERS), `real tokenizers are not here (${TOKENIZERS})`);

  for (const [name, folder] of Object.entries(VECTOR_FOLDERS)) {
    test(`${folder} gives the ids of the ${name} vectors, and their text again`, () => {
      const tokenizer = loadTokenizer(`${TOKENIZERS}/${folder}`);
      const inputs = readFileSync(`${VECTORS}/ggml-vocab-${name}.gguf.inp`, "utf8").split("\n__ggml_vocab_test__\n");
      const outputs = readFileSync(`${VECTORS}/ggml-vocab-${name}.gguf.out`, "utf8").split("\n");
      expect(inputs.length).toBeGreaterThan(40);
      for (const [i, text] of inputs.entries()) {
        const expected = outputs[i].trim() === "" ? [] : outputs[i].trim().split(" ").map(Number);
        expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(expected);
        expect(tokenizer.decode(expected), JSON.stringify(text)).toBe(text.normalize(folder.startsWith("qwen") ? "NFC" : undefined));
      }
    });
  }

  test("special tokens are added on request only", () => {
    const llama = loadTokenizer(`${TOKENIZERS}/llama-3.2-1b-instruct`);
    expect(llama.encode("hi", { addSpecialTokens: true })).toEqual([128000, 6151]);
    expect(llama.encode("hi", { addSpecialTokens: false })).toEqual([6151]);
    const bert = loadTokenizer(`${TOKENIZERS}/bert-base-uncased`);
    expect(bert.encode("hi", { addSpecialTokens: true })).toEqual([101, 7632, 102]);
    expect(() => bert.pieces).toThrow(/WordPiece; such a model cannot write text/);
  });

  test("control tokens in a rendered chat become their ids, and are hidden unless asked for", () => {
    const qwen = loadTokenizer(`${TOKENIZERS}/qwen2.5-0.5b-instruct`);
    const ids = qwen.encode("<|im_start|>user\nhi<|im_end|>", { addSpecialTokens: false });
    expect(ids).toEqual([151644, 872, 198, 6023, 151645]);
    expect(qwen.decode(ids)).toBe("user\nhi");
    expect(qwen.decode(ids, { keepSpecial: true })).toBe("<|im_start|>user\nhi<|im_end|>");
    // <tool_call> is an added token that readers see.
    expect(qwen.decode([qwen.tokenId("<tool_call>") ?? -1])).toBe("<tool_call>");
  });

  test("a file whose merges lost their non-breaking spaces is refused", () => {
    const json = readFileSync(`${TOKENIZERS}/llama2/tokenizer.nbsp-damaged.json`, "utf8");
    expect(() => createTokenizer(json, undefined)).toThrow(/model\.merges\[\d+\]: expected two pieces/);
  });

  test("stop ids are found where only the template or tokenizer_config.json names them", () => {
    const folder = `${TOKENIZERS}/llama-3.2-1b-instruct`;
    const tokenizerConfig = readFileSync(`${folder}/tokenizer_config.json`, "utf8");
    const templateSource = JSON.parse(tokenizerConfig).chat_template;
    const found = collectStopIds({ configEos: 128001, tokenizerConfig, tokenizer: loadTokenizer(folder), templateSource });
    expect([...found].sort()).toEqual([128001, 128009]);
    const phi = `${TOKENIZERS}/phi-3-mini`;
    const phiConfig = readFileSync(`${phi}/tokenizer_config.json`, "utf8");
    const phiTemplate = JSON.parse(phiConfig).chat_template;
    const phiIds = collectStopIds({ tokenizerConfig: phiConfig, tokenizer: loadTokenizer(phi), templateSource: phiTemplate });
    expect([...phiIds].sort()).toEqual([32000, 32007]);
  });
});

for (const folder of [TINY, ...realTokenizers().filter((name) => !/bert|t5/.test(name))]) {
  test(`${folder.split("/").at(-1)} returns tricky texts unchanged`, () => {
    const tokenizer = loadTokenizer(folder);
    for (const text of TRICKY_TEXTS) {
      const normal = folder.includes("qwen") ? text.normalize("NFC") : text;
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      expect(ids.every((id) => id >= 0 && id < tokenizer.vocabSize)).toBe(true);
      expect(tokenizer.decode(ids, { keepSpecial: true })).toBe(normal);
    }
  });
}

test.describe("the bundled tokenizer", () => {
  const tokenizer = loadTokenizer(TINY);

  test("it encodes the golden text to the golden ids and decodes them again", () => {
    const golden: { text: string; tokens: number[] } = JSON.parse(readFileSync("e2e/goldens/hearth-tiny.json", "utf8"));
    expect(tokenizer.encode(golden.text, { addSpecialTokens: false })).toEqual(golden.tokens);
    expect(tokenizer.decode(golden.tokens)).toBe(golden.text);
  });

  test("it knows its size, its control tokens and its pieces", () => {
    expect(tokenizer.vocabSize).toBe(7168);
    expect([...tokenizer.specialIds].sort()).toEqual([0, 1, 2]);
    expect(tokenizer.tokenId("<|im_end|>")).toBe(2);
    expect(tokenizer.tokenId("no such piece")).toBeUndefined();
  });

  test("nothing encodes to nothing, and decodes to nothing", () => {
    expect(tokenizer.encode("", { addSpecialTokens: false })).toEqual([]);
    expect(tokenizer.decode([])).toBe("");
  });

  test("spaces before punctuation stay, and ids beyond the vocabulary are silent", () => {
    const text = "go . wo n't , really ?";
    expect(tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: false }))).toBe(text);
    expect(tokenizer.decode([99_999])).toBe("");
  });

  test("stop ids are the union of all places, each id once", () => {
    const templateSource = "<|im_start|> <|im_end|> <|eot_id|>";
    const tokenizerConfig = JSON.stringify({ eos_token: { content: "<|endoftext|>" } });
    const all = { generationEos: [2, 0], configEos: 2, tokenizerConfig, tokenizer, templateSource };
    expect([...collectStopIds(all)]).toEqual([2, 0]);
    expect([...collectStopIds({ tokenizerConfig, tokenizer })]).toEqual([0]);
    expect([...collectStopIds({ templateSource, tokenizer })]).toEqual([2]);
    expect([...collectStopIds({ generationEos: null, tokenizer })]).toEqual([]);
    expect(() => collectStopIds({ generationEos: [1.5], tokenizer })).toThrow(/generation_config\.json: eos_token_id/);
    expect(() => collectStopIds({ configEos: -1, tokenizer })).toThrow(/config\.json: eos_token_id/);
  });
});

test("<|end|> ends a turn where <|assistant|> starts one, and only a part of the answer elsewhere", () => {
  const file = { model: { type: "BPE", vocab: { a: 0 }, merges: [] }, added_tokens: [{ id: 1, content: "<|end|>", special: true }] };
  const tokenizer = createTokenizer(JSON.stringify(file), undefined);
  expect([...collectStopIds({ tokenizer, templateSource: "<|assistant|>{{ text }}<|end|>" })]).toEqual([1]);
  expect([...collectStopIds({ tokenizer, templateSource: "<|start|>assistant<|channel|>{{ text }}<|end|>" })]).toEqual([]);
});

test.describe("broken tokenizer files", () => {
  const sound = { model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] }, decoder: { type: "ByteLevel" }, added_tokens: [] };
  const broken: [string, unknown, string, RegExp][] = [
    ["an array", [], "corrupt-checkpoint", /tokenizer\.json: expected a JSON object, found an array/],
    ["no model", { ...sound, model: undefined }, "corrupt-checkpoint", /expected a model, found undefined/],
    ["no vocabulary", { ...sound, model: { type: "BPE", merges: [] } }, "corrupt-checkpoint", /model\.vocab, found undefined/],
    ["a piece without an id", { ...sound, model: { ...sound.model, vocab: { a: "0" } } }, "corrupt-checkpoint", /model\.vocab\["a"\]/],
    ["an absurd id", { ...sound, model: { ...sound.model, vocab: { a: 1e12 } } }, "corrupt-checkpoint", /below 1000000, found 1000000000000/],
    ["a merge of one piece", { ...sound, model: { ...sound.model, merges: ["ab"] } }, "corrupt-checkpoint", /model\.merges\[0\]/],
    ["merges of another shape", { ...sound, model: { ...sound.model, merges: {} } }, "corrupt-checkpoint", /model\.merges, found object/],
    ["no merges", { ...sound, model: { type: "BPE", vocab: { a: 0 } } }, "corrupt-checkpoint", /could not be built/],
    ["an added token without content", { ...sound, added_tokens: [{ id: 2 }] }, "corrupt-checkpoint", /added_tokens\[0\]/],
    ["added tokens of another shape", { ...sound, added_tokens: {} }, "corrupt-checkpoint", /added_tokens, found object/],
    ["a scored piece without a score", { ...sound, model: { type: "Unigram", vocab: [["a"]] } }, "corrupt-checkpoint", /model\.vocab\[0\]/],
    ["an unknown normalizer", { ...sound, normalizer: { type: "Rot13" } }, "unsupported-checkpoint", /Rot13/],
    ["a decoder without a type", { ...sound, decoder: 7 }, "corrupt-checkpoint", /decoder: expected null or an object/],
    ["a split that the package would do otherwise", { ...sound, pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { String: "a" }, behavior: "MergedWithNext" }] } }, "unsupported-checkpoint", /Split with behavior MergedWithNext/],
    ["a pre-tokenizer without a type", { ...sound, pre_tokenizer: {} }, "corrupt-checkpoint", /pre_tokenizer: expected/],
  ];

  for (const [name, file, code, message] of broken) {
    test(`${name} is a HearthError that says so`, () => {
      expect(() => createTokenizer(JSON.stringify(file), undefined)).toThrow(expect.objectContaining({ name: "HearthError", code, message: expect.stringMatching(message) }));
    });
  }

  test("a decoder that Hearth lacks is told when text is wanted", () => {
    for (const decoder of [{ type: "CTC" }, null, { type: "Sequence", decoders: [{ type: "BPEDecoder", suffix: "</w>" }] }]) {
      const tokenizer = createTokenizer(JSON.stringify({ ...sound, decoder }), undefined);
      expect(() => tokenizer.decode([0])).toThrow(expect.objectContaining({ code: "unsupported-checkpoint" }));
    }
  });

  test("a file cut short is a HearthError that says so", () => {
    const corrupt = expect.objectContaining({ name: "HearthError", code: "corrupt-checkpoint" });
    expect(() => createTokenizer('{"model": {"voc', undefined)).toThrow(corrupt);
    expect(() => createTokenizer(JSON.stringify(sound), "<html>")).toThrow(corrupt);
  });

  test("special tokens written as objects are understood", () => {
    const file = { ...sound, added_tokens: [{ id: 2, content: "<end>", special: false }, { id: 3, content: "<x>", special: false }] };
    const config = { eos_token: { content: "<end>" }, additional_special_tokens: [{ content: "<x>" }], bos_token: null };
    const tokenizer = createTokenizer(JSON.stringify(file), JSON.stringify(config));
    expect([...tokenizer.specialIds]).toEqual([2, 3]);
    expect(tokenizer.decode([0, 2, 1, 3])).toBe("ab");
  });
});
