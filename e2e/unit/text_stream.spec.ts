import { existsSync, readFileSync } from "node:fs";

import { Tokenizer } from "@huggingface/tokenizers";
import { expect, test } from "@playwright/test";

import { Detokenizer } from "../../src/text/detokenizer.ts";
import { StopMatcher } from "../../src/text/stop_matcher.ts";
import { makeTokenTable, TokenBytes } from "../../src/text/token_bytes.ts";
import type { TextTokenizer } from "../../src/text/tokenizer.ts";
import { LOOKALIKE_TEXT, loadTokenizer, realTokenizers, seededRandom, TINY, TOKENIZERS, TRICKY_TEXTS } from "./text_support.ts";

function stream(tokenizer: TextTokenizer, ids: readonly number[], keepSpecial = false): string[] {
  const detokenizer = new Detokenizer(tokenizer.pieces, { first: true, keepSpecial });
  return [...ids.map((id) => detokenizer.push(id)), detokenizer.flush()];
}

// The package's own decoder is the independent witness: it decodes whole texts only.
const wholeDecoders = new Map<string, (ids: number[]) => string>();

function wholeDecoder(folder: string): (ids: number[]) => string {
  const known = wholeDecoders.get(folder);
  if (known !== undefined) return known;
  const config = `${folder}/tokenizer_config.json`;
  const witness = new Tokenizer(
    JSON.parse(readFileSync(`${folder}/tokenizer.json`, "utf8")),
    existsSync(config) ? JSON.parse(readFileSync(config, "utf8")) : {},
  );
  const decodeWhole = (ids: number[]) => witness.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  wholeDecoders.set(folder, decodeWhole);
  return decodeWhole;
}

test("there are real tokenizers to stream with", () => {
  test.skip(realTokenizers().length === 0, `real tokenizers are not here (${TOKENIZERS})`);
});

const HALF_A_CHARACTER = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

for (const folder of [TINY, ...realTokenizers().filter((name) => !name.includes("bert"))]) {
  const name = folder.split("/").at(-1);

  test(`${name}: streamed text equals the whole text decoded at once`, () => {
    const tokenizer = loadTokenizer(folder);
    const decodeWhole = wholeDecoder(folder);
    for (const text of [...TRICKY_TEXTS, LOOKALIKE_TEXT]) {
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      const chunks = stream(tokenizer, ids, true);
      expect(chunks.join("")).toBe(decodeWhole(ids));
      expect(chunks.some((chunk) => HALF_A_CHARACTER.test(chunk) || chunk.includes("\ufffd"))).toBe(false);
    }
  });

  test(`${name}: a text cut anywhere streams as it decodes`, () => {
    const tokenizer = loadTokenizer(folder);
    const decodeWhole = wholeDecoder(folder);
    const random = seededRandom(5);
    const text = [...TRICKY_TEXTS.join(" ").normalize("NFC")];
    for (let round = 0; round < 60; round++) {
      // Cut between code points, so also within families of emoji, flags and combined letters.
      const [from, to] = [random(), random()].map((share) => Math.floor(share * text.length)).sort((a, b) => a - b);
      const ids = tokenizer.encode(text.slice(from, to + 1).join(""), { addSpecialTokens: false });
      if (ids.length === 0) continue; // the package decodes no empty list
      const chunks = stream(tokenizer, ids, true);
      expect(chunks.join("")).toBe(decodeWhole(ids));
      expect(chunks.filter((chunk) => HALF_A_CHARACTER.test(chunk))).toEqual([]);
    }
  });

  test(`${name}: streamed random ids equal the whole decoding`, () => {
    const tokenizer = loadTokenizer(folder);
    const decodeWhole = wholeDecoder(folder);
    const random = seededRandom(7);
    const rounds = Array.from({ length: 300 }, () =>
      Array.from({ length: 1 + Math.floor(random() * 12) }, () => Math.floor(random() * tokenizer.vocabSize)),
    );
    // The package swallows a BOM, and decodes each run of byte tokens for itself, which changes how often U+FFFD appears.
    const comparable = (text: string) => text.replaceAll("\ufeff", "").replace(/\ufffd+/g, "\ufffd");
    const streamed = rounds.map((ids) => stream(tokenizer, ids, true));
    expect(streamed.map((chunks) => comparable(chunks.join("")))).toEqual(rounds.map((ids) => comparable(decodeWhole(ids))));
    expect(streamed.flat().filter((chunk) => HALF_A_CHARACTER.test(chunk))).toEqual([]);
  });
}

test.describe("byte by byte", () => {
  const utf8 = new TextEncoder();
  const byteTokens = (decoder: unknown) =>
    new TokenBytes(
      makeTokenTable({
        pieceOf: (id) => `<0x${id.toString(16).toUpperCase().padStart(2, "0")}>`,
        vocabSize: 301,
        addedTokens: new Map([[300, "<end>"]]),
        specialIds: new Set([300]),
        json: { decoder },
      }),
    );
  const fallback = byteTokens({ type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] });

  test("every text comes out whole, character by character", () => {
    for (const text of TRICKY_TEXTS) {
      const detokenizer = new Detokenizer(fallback, { first: true });
      const chunks = [...utf8.encode(text)].map((byte) => detokenizer.push(byte));
      expect(chunks.filter((chunk) => chunk !== "")).toEqual([...text]);
      expect(detokenizer.flush()).toBe("");
    }
  });

  test("random bytes decode as the platform decodes them whole", () => {
    const random = seededRandom(11);
    const leads = [0x41, 0x80, 0xbf, 0xc1, 0xc3, 0xe2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff, 0x9f, 0xa0, 0xbb];
    const rounds = Array.from({ length: 2000 }, () =>
      Uint8Array.from({ length: 1 + Math.floor(random() * 9) }, () => leads[Math.floor(random() * leads.length)]),
    );
    const streamed = rounds.map((bytes) => {
      const detokenizer = new Detokenizer(fallback, { first: true });
      return [...bytes].map((byte) => detokenizer.push(byte)).join("") + detokenizer.flush();
    });
    expect(streamed).toEqual(rounds.map((bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)));
  });

  test("an unfinished character appears as U+FFFD at the end only", () => {
    const detokenizer = new Detokenizer(fallback, { first: true });
    expect([0x61, 0xf0, 0x9f, 0xa6].map((byte) => detokenizer.push(byte))).toEqual(["a", "", "", ""]);
    expect(detokenizer.flush()).toBe("\ufffd");
    expect(detokenizer.flush()).toBe("");
  });

  test("a hidden control token does not break the character around it", () => {
    const detokenizer = new Detokenizer(fallback, { first: true });
    expect([0xc3, 300, 0xa9].map((id) => detokenizer.push(id)).join("")).toBe("é");
    const showing = new Detokenizer(fallback, { first: true, keepSpecial: true });
    expect(showing.push(300)).toBe("<end>");
  });
});

test.describe("the space that starts a text", () => {
  const pieces = ["▁Hello", "▁", "▁▁x", "<s>"];
  const table = (decoders: unknown[]) =>
    new TokenBytes(
      makeTokenTable({
        pieceOf: (id) => pieces[id],
        vocabSize: 4,
        addedTokens: new Map([[3, "<s>"]]),
        specialIds: new Set([3]),
        json: { decoder: { type: "Sequence", decoders } },
      }),
    );
  const replace = { type: "Replace", pattern: { String: "▁" }, content: " " };
  const decode = (tokens: TokenBytes, ids: number[], first: boolean, keepSpecial = false) => {
    const detokenizer = new Detokenizer(tokens, { first, keepSpecial });
    return ids.map((id) => detokenizer.push(id)).join("") + detokenizer.flush();
  };

  test("Strip drops one space of a text that starts here, and none of a continuation", () => {
    const tokens = table([replace, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }]);
    expect(decode(tokens, [0, 0], true)).toBe("Hello Hello");
    expect(decode(tokens, [0, 0], false)).toBe(" Hello Hello");
    expect(decode(tokens, [1, 0], true)).toBe(" Hello");
    expect(decode(tokens, [2], true)).toBe(" x");
    expect(decode(tokens, [3, 0], true)).toBe("Hello");
    expect(decode(tokens, [3, 0], true, true)).toBe("<s> Hello");
  });

  test("without Strip the space stays, and Metaspace drops it unless it was never added", () => {
    expect(decode(table([replace, { type: "ByteFallback" }, { type: "Fuse" }]), [0], true)).toBe(" Hello");
    expect(decode(table([{ type: "Metaspace", replacement: "▁", prepend_scheme: "first" }]), [0, 0], true)).toBe("Hello Hello");
    expect(decode(table([{ type: "Metaspace", replacement: "▁", prepend_scheme: "never" }]), [0], true)).toBe(" Hello");
  });
});

test.describe("stop strings", () => {
  const whole = (stops: string[], chunks: string[]) => {
    const matcher = new StopMatcher(stops);
    let text = "";
    for (const chunk of chunks) {
      const found = matcher.push(chunk);
      text += found.text;
      if (found.matched !== undefined) return { text, matched: found.matched };
    }
    return { text: text + matcher.flush(), matched: undefined };
  };

  test("text before a stop string is shown, and nothing from it on", () => {
    expect(whole(["END"], ["one E", "N", "D two"])).toEqual({ text: "one ", matched: "END" });
    expect(whole(["\n\n"], ["a\n", "b\n\nc"])).toEqual({ text: "a\nb", matched: "\n\n" });
  });

  test("only what may become a stop string is held back", () => {
    const matcher = new StopMatcher(["<end>", "</s>"]);
    expect(matcher.push("a <e")).toEqual({ text: "a " });
    expect(matcher.push("x<<")).toEqual({ text: "<ex<" });
    expect(matcher.push("/s")).toEqual({ text: "" });
    expect(matcher.flush()).toBe("</s");
    expect(matcher.flush()).toBe("");
  });

  test("after a match nothing more comes out", () => {
    const matcher = new StopMatcher(["."]);
    expect(matcher.push("a.b")).toEqual({ text: "a", matched: "." });
    expect(matcher.push("c")).toEqual({ text: "", matched: "." });
    expect(matcher.flush()).toBe("");
  });

  test("without stop strings text passes through, and an empty stop string is refused", () => {
    expect(new StopMatcher([]).push("abc")).toEqual({ text: "abc" });
    expect(() => new StopMatcher([""])).toThrow(expect.objectContaining({ code: "invalid-options" }));
  });

  test("the result does not depend on how the text was cut", () => {
    const random = seededRandom(3);
    const word = (length: number) => Array.from({ length }, () => "ab"[Math.floor(random() * 2)]).join("");
    const differing: string[] = [];
    for (let round = 0; round < 3000; round++) {
      const stops = Array.from({ length: 1 + Math.floor(random() * 3) }, () => word(1 + Math.floor(random() * 5)));
      const text = word(Math.floor(random() * 20));
      const chunks: string[] = [];
      for (let at = 0; at < text.length; ) {
        const end = at + 1 + Math.floor(random() * 4);
        chunks.push(text.slice(at, end));
        at = end;
      }
      const [cut, uncut] = [whole(stops, chunks), whole(stops, [text])];
      if (cut.text !== uncut.text || cut.matched !== uncut.matched) differing.push(`${text} | ${stops} | ${chunks}`);
    }
    expect(differing).toEqual([]);
  });
});
