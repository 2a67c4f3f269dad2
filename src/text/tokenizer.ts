import { Tokenizer } from "@huggingface/tokenizers";

import { HearthError } from "../errors.ts";
import { Detokenizer } from "./detokenizer.ts";
import { TokenBytes } from "./token_bytes.ts";
import { isObject, kindOf, namedSpecialTokens, parseJsonObject, SPECIAL_TOKEN_KEYS, specialTokenText } from "./tokenizer_config.ts";

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

// Beyond this an id is damage, and the package would allocate a table up to it; real vocabularies end near 260,000.
const MAX_TOKEN_ID = 2 ** 24;

/** Build a tokenizer from the text of tokenizer.json and, where the repo has one, tokenizer_config.json. */
export function createTokenizer(tokenizerJson: string, tokenizerConfigJson: string | undefined): TextTokenizer {
  const file = withDefaults(parseJsonObject(tokenizerJson, "tokenizer.json"));
  const config = tokenizerConfigJson === undefined ? {} : parseJsonObject(tokenizerConfigJson, "tokenizer_config.json");
  const lastModelId = checkModel(file.model);
  checkSteps(file);
  checkSplits(file.pre_tokenizer);
  const addedTokens = readAddedTokens(file.added_tokens);
  const tokenizer = construct(file, config);
  const specialIds = findSpecialIds(file, config, tokenizer, addedTokens);
  let table: TokenBytes | undefined;
  const pieces = () => (table ??= new TokenBytes({ pieceOf: (id) => tokenizer.id_to_token(id), addedTokens, specialIds, decoder: file.decoder }));
  return {
    encode: (text, { addSpecialTokens }) =>
      // Like the Rust library, drop what neither the vocabulary nor an unknown token covers.
      tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids.filter((id) => id !== undefined && id !== null),
    decode: (ids, options) => decode(pieces(), ids, options?.keepSpecial ?? false),
    tokenId: (text) => tokenizer.token_to_id(text),
    vocabSize: Math.max(lastModelId, ...addedTokens.keys()) + 1,
    specialIds,
    addedIds: new Set(addedTokens.keys()),
    get pieces() {
      return pieces();
    },
  };
}

function decode(pieces: TokenBytes, ids: readonly number[], keepSpecial: boolean): string {
  const detokenizer = new Detokenizer(pieces, { first: true, keepSpecial });
  return ids.map((id) => detokenizer.push(id)).join("") + detokenizer.flush();
}

// The Rust library reads an absent entry as null; the package insists on the keys.
function withDefaults(file: Record<string, unknown>): Record<string, unknown> {
  return { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...file, added_tokens: file.added_tokens ?? [] };
}

function construct(file: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  try {
    return new Tokenizer(file, packageConfig(config));
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

function checkSteps(file: Record<string, unknown>): void {
  for (const name of ["normalizer", "pre_tokenizer", "post_processor", "decoder"]) {
    const step = file[name];
    if (step === null || (isObject(step) && typeof step.type === "string")) continue;
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: ${name}: expected null or an object with a type, found ${kindOf(step)}`);
  }
}

// The package splits these otherwise than the Rust library, which would give ids that the model was not trained on.
function checkSplits(step: unknown): void {
  if (!isObject(step)) return;
  if (Array.isArray(step.pretokenizers)) step.pretokenizers.forEach(checkSplits);
  const behavior = String(step.behavior ?? "Isolated");
  // Gemma's split at " " is harmless: its normalizer has already replaced every space.
  const atSpace = isObject(step.pattern) && step.pattern.String === " ";
  const merges = step.type === "Split" && behavior.startsWith("MergedWith") && !atSpace;
  if (!merges && !(step.type === "Punctuation" && behavior !== "Contiguous")) return;
  throw new HearthError("unsupported-checkpoint", `tokenizer.json: pre_tokenizer ${step.type} with behavior ${behavior} is not supported`);
}

/** Check the vocabulary and merges and return the largest id. */
function checkModel(model: unknown): number {
  if (!isObject(model)) throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected a model, found ${kindOf(model)}`);
  checkMerges(model.merges);
  if (Array.isArray(model.vocab)) return checkScoredPieces(model.vocab);
  if (!isObject(model.vocab)) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected a model.vocab, found ${kindOf(model.vocab)}`);
  }
  let lastId = -1;
  for (const [piece, id] of Object.entries(model.vocab)) lastId = Math.max(lastId, checkTokenId(id, `model.vocab["${piece}"]`));
  return lastId;
}

function checkScoredPieces(vocab: readonly unknown[]): number {
  const broken = vocab.findIndex((entry) => !Array.isArray(entry) || typeof entry[0] !== "string" || typeof entry[1] !== "number");
  if (broken >= 0) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: model.vocab[${broken}]: expected [piece, score], found ${JSON.stringify(vocab[broken])}`);
  }
  return vocab.length - 1;
}

// A merge is "left right" or ["left", "right"]; a third part means that a non-breaking space was lost on the way.
function checkMerges(merges: unknown): void {
  if (merges === undefined || merges === null) return;
  if (!Array.isArray(merges)) throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected an array model.merges, found ${kindOf(merges)}`);
  for (const [i, merge] of merges.entries()) {
    const parts: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(parts) || parts.length !== 2 || parts.some((part) => typeof part !== "string")) {
      throw new HearthError(
        "corrupt-checkpoint",
        `tokenizer.json: model.merges[${i}]: expected two pieces, found ${JSON.stringify(merge)}; download the file again`,
      );
    }
  }
}

function checkTokenId(id: unknown, subject: string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MAX_TOKEN_ID) return id;
  throw new HearthError("corrupt-checkpoint", `tokenizer.json: ${subject}: expected a token id below ${MAX_TOKEN_ID}, found ${JSON.stringify(id)}`);
}

function readAddedTokens(entries: unknown): Map<number, string> {
  if (!Array.isArray(entries)) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected an array added_tokens, found ${kindOf(entries)}`);
  }
  const added = new Map<number, string>();
  for (const [i, entry] of entries.entries()) {
    if (!isObject(entry) || typeof entry.content !== "string") {
      throw new HearthError("corrupt-checkpoint", `tokenizer.json: added_tokens[${i}]: expected an id and a content, found ${JSON.stringify(entry)}`);
    }
    added.set(checkTokenId(entry.id, `added_tokens[${i}].id`), entry.content);
  }
  return added;
}

// A token is special by its own flag, or because tokenizer_config.json gives it a role such as end of text.
function findSpecialIds(
  file: Record<string, unknown>,
  config: Record<string, unknown>,
  tokenizer: Tokenizer,
  addedTokens: ReadonlyMap<number, string>,
): Set<number> {
  const flagged = (file.added_tokens as { id: number; special?: boolean }[]).filter((token) => token.special === true); // checked by readAddedTokens
  const named = namedSpecialTokens(config).map((text) => tokenizer.token_to_id(text));
  return new Set([...flagged.map((token) => token.id), ...named.filter((id) => id !== undefined && addedTokens.has(id)) as number[]]);
}
