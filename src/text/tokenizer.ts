import { Tokenizer } from "@huggingface/tokenizers";

import { HearthError } from "../errors.ts";
import { Detokenizer } from "./detokenizer.ts";
import { makeTokenTable, TokenBytes } from "./token_bytes.ts";
import { SPECIAL_TOKEN_KEYS, specialTokenText } from "./tokenizer_config.ts";
import { readTokenizerFile, type TokenizerFile } from "./tokenizer_file.ts";

/** Text to token ids and back, for one checkpoint. */
export interface TextTokenizer {
  /** Encode text; special tokens are added for plain text, not for a rendered chat, which prints its own. */
  encode(text: string, options: { addSpecialTokens: boolean }): number[];
  /** Decode a whole text at once, as a `Detokenizer` would piece by piece. */
  decode(ids: readonly number[], options?: { keepSpecial?: boolean }): string;
  /** The id of a piece or added token, spelled as in tokenizer.json. */
  tokenId(text: string): number | undefined;
  /** One more than the largest id; a model's logits may be wider. */
  readonly vocabSize: number;
  /** Control tokens that readers should not see. */
  readonly specialIds: ReadonlySet<number>;
  /** Tokens that are matched as a whole in any text, special or not. */
  readonly addedIds: ReadonlySet<number>;
  /** The bytes of each token, for a `Detokenizer`; throws for encoders such as BERT, whose decoder Hearth lacks. */
  readonly pieces: TokenBytes;
}

/** Build a tokenizer from the text of tokenizer.json and, where the repo has one, tokenizer_config.json. */
export function createTokenizer(tokenizerJson: string, tokenizerConfigJson: string | undefined): TextTokenizer {
  return buildTokenizer(readTokenizerFile(tokenizerJson, tokenizerConfigJson));
}

/** Build the tokenizer of a checked file. */
export function buildTokenizer(file: TokenizerFile): TextTokenizer {
  const tokenizer = construct(file.json, file.config);
  let table: TokenBytes | undefined;
  const pieces = () => (table ??= new TokenBytes(makeTokenTable(file)));
  return {
    encode: (text, { addSpecialTokens }) =>
      // Like the Rust library, drop what neither the vocabulary nor an unknown token covers.
      tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids.filter((id) => id !== undefined && id !== null),
    decode: (ids, options) => decode(pieces(), ids, options?.keepSpecial ?? false),
    tokenId: (text) => tokenizer.token_to_id(text),
    vocabSize: file.vocabSize,
    specialIds: file.specialIds,
    addedIds: new Set(file.addedTokens.keys()),
    get pieces() {
      return pieces();
    },
  };
}

/** Run the patterns that building a tokenizer runs, without its vocabulary, which takes most of the time. */
export function rehearseTokenizer({ json, config }: TokenizerFile): void {
  construct({ ...json, model: { type: "BPE", vocab: {}, merges: [] } }, config);
}

function decode(pieces: TokenBytes, ids: readonly number[], keepSpecial: boolean): string {
  const detokenizer = new Detokenizer(pieces, { first: true, keepSpecial });
  return ids.map((id) => detokenizer.push(id)).join("") + detokenizer.flush();
}

function construct(json: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  try {
    return new Tokenizer(json, packageConfig(config));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // "Unknown Decoder type: X" and the like: a sound file that asks for more than the package knows.
    const code = reason.startsWith("Unknown ") ? "unsupported-checkpoint" : "corrupt-checkpoint";
    throw new HearthError(code, `tokenizer.json: the tokenizer could not be built: ${reason}`, { cause });
  }
}

// The package takes special tokens as strings only, and its clean-up would change spaces before punctuation.
function packageConfig(config: Record<string, unknown>): Record<string, unknown> {
  const additional = Array.isArray(config.additional_special_tokens) ? config.additional_special_tokens : [];
  const named = Object.fromEntries(SPECIAL_TOKEN_KEYS.map((key) => [key, specialTokenText(config[key])]));
  return {
    ...config,
    ...named,
    additional_special_tokens: additional.map(specialTokenText).filter((text) => text !== undefined),
    clean_up_tokenization_spaces: false,
  };
}
