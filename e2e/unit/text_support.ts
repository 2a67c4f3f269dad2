import { existsSync, readdirSync, readFileSync } from "node:fs";

import type { TextTokenizer } from "../../src/text/tokenizer.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";

/** The folder of the model that comes with Hearth. */
export const TINY = "public/models/hearth-tiny";

/** Where real tokenizers are, when they are there at all. */
export const TOKENIZERS = "../shared/assets/tokenizers";

/** Where texts and their expected token ids are. */
export const VECTORS = "../shared/assets/test-vectors/tokenizers";

/** List the folders of real tokenizers; none in a plain clone. */
export function realTokenizers(): string[] {
  return existsSync(TOKENIZERS) ? readdirSync(TOKENIZERS).map((name) => `${TOKENIZERS}/${name}`) : [];
}

const loaded = new Map<string, TextTokenizer>();

/** Load a tokenizer folder once per worker process: the largest take two seconds. */
export function loadTokenizer(folder: string): TextTokenizer {
  const known = loaded.get(folder);
  if (known !== undefined) return known;
  const config = `${folder}/tokenizer_config.json`;
  const tokenizer = createTokenizer(
    readFileSync(`${folder}/tokenizer.json`, "utf8"),
    existsSync(config) ? readFileSync(config, "utf8") : undefined,
  );
  loaded.set(folder, tokenizer);
  return tokenizer;
}

/** A small generator of numbers in [0, 1), so that random tests repeat (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Texts that break careless tokenizers and detokenizers. */
export const TRICKY_TEXTS = [
  "Hello, world! It's 12:30 on 3/4/2024; isn't it?",
  " leading and trailing spaces  ",
  "line\nbreaks\r\n\n\ttabs\t\u00a0nbsp",
  "👩‍👩‍👧‍👦 family, 🇫🇷 flag, 👍🏽 skin tone, 🦙.cpp",
  "漢字かな交じり文、한국어 텍스트, 简体中文。",
  "e\u0301 combining acute, Z\u0351\u036f\u0321a\u0335lgo, ñ ü ß",
  "العربية עברית हिन्दी ไทย Ελληνικά Кириллица",
  "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𓀀 beyond the basic plane",
  "def f(x):\n    return {'a': [x ** 2, None]}  # code",
  "\ufeffa BOM, a zero\u200bwidth space and \u0001control\u007f",
  "$& $1 Ġ ## $$ \\n look like something else",
];

/** A text that spells pieces and control tokens, which some tokenizers read as such. */
export const LOOKALIKE_TEXT = "▁ Ġ <0x41> <s> <unk></s> <|endoftext|> <|im_end|> end";
