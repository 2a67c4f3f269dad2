import { HearthError } from "../errors.ts";
import { checkStepLimits } from "./step_limits.ts";
import { isObject, kindOf, namedSpecialTokens, parseJsonObject } from "./tokenizer_config.ts";

/** A checked tokenizer.json and what can be read from it without building the tokenizer. */
export interface TokenizerFile {
  /** tokenizer.json as parsed, with null for absent steps. */
  json: Record<string, unknown>;
  /** tokenizer_config.json as parsed; empty where there is none. */
  config: Record<string, unknown>;
  /** One more than the largest id. */
  vocabSize: number;
  /** Tokens that are matched as a whole in any text, special or not. */
  addedTokens: ReadonlyMap<number, string>;
  /** Control tokens that readers should not see. */
  specialIds: ReadonlySet<number>;
  /** The piece of an id as tokenizer.json spells it, such as "Ġthe" or "▁the". */
  pieceOf(id: number): string | undefined;
}

// Beyond this an id is damage, and tables are allocated up to it; real vocabularies end near 262,000.
const MAX_TOKEN_ID = 1_000_000;
const MAX_PATTERN_CHARACTERS = 4096; // the longest seen has 600; rewriting a pattern for JavaScript takes quadratic time

/** Read and check tokenizer.json and, where the repo has one, tokenizer_config.json; runs nothing that the files say. */
export function readTokenizerFile(tokenizerJson: string, tokenizerConfigJson: string | undefined): TokenizerFile {
  const json = withDefaults(parseJsonObject(tokenizerJson, "tokenizer.json"));
  const config = tokenizerConfigJson === undefined ? {} : parseJsonObject(tokenizerConfigJson, "tokenizer_config.json");
  const pieces = readPieces(json.model);
  checkSteps(json);
  checkStepLimits(json);
  checkSplits(json.pre_tokenizer);
  const addedTokens = readAddedTokens(json.added_tokens);
  return {
    json,
    config,
    vocabSize: [...addedTokens.keys()].reduce((size, id) => Math.max(size, id + 1), pieces.length),
    addedTokens,
    specialIds: findSpecialIds(json, config, addedTokens),
    pieceOf: (id) => pieces[id],
  };
}

/** List the regular expressions that the steps of a tokenizer run, as written. */
export function patternsOf(step: unknown): string[] {
  if (Array.isArray(step)) return step.flatMap(patternsOf);
  if (!isObject(step)) return [];
  const own = isObject(step.pattern) && typeof step.pattern.Regex === "string" ? [step.pattern.Regex] : [];
  return [...own, ...["normalizers", "pretokenizers", "decoders"].flatMap((key) => patternsOf(step[key]))];
}

// The Rust library reads an absent entry as null; the package insists on the keys.
function withDefaults(json: Record<string, unknown>): Record<string, unknown> {
  return { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...json, added_tokens: json.added_tokens ?? [] };
}

function checkSteps(json: Record<string, unknown>): void {
  for (const name of ["normalizer", "pre_tokenizer", "post_processor", "decoder"]) {
    const step = json[name];
    if (step !== null && !(isObject(step) && typeof step.type === "string")) {
      throw new HearthError("corrupt-checkpoint", `tokenizer.json: ${name}: expected null or an object with a type, found ${kindOf(step)}`);
    }
    const long = patternsOf(step).find((pattern) => pattern.length > MAX_PATTERN_CHARACTERS);
    if (long === undefined) continue;
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: ${name}: expected patterns of at most ${MAX_PATTERN_CHARACTERS} characters, found ${long.length}`);
  }
}

// The package splits these otherwise than the Rust library, which would give ids that the model was not trained on.
function checkSplits(step: unknown): void {
  if (!isObject(step)) return;
  if (Array.isArray(step.pretokenizers)) step.pretokenizers.forEach(checkSplits);
  const behavior = step.behavior ?? "Isolated";
  if (typeof behavior !== "string") throw new HearthError("corrupt-checkpoint", `tokenizer.json: pre_tokenizer: expected a behavior in words, found ${show(behavior)}`);
  // Gemma's split at " " is harmless: its normalizer has already replaced every space.
  const atSpace = isObject(step.pattern) && step.pattern.String === " ";
  const merges = step.type === "Split" && behavior.startsWith("MergedWith") && !atSpace;
  if (!merges && !(step.type === "Punctuation" && behavior !== "Contiguous")) return;
  throw new HearthError("unsupported-checkpoint", `tokenizer.json: pre_tokenizer ${step.type} with behavior ${behavior} is not supported`);
}

/** Check the vocabulary and merges and return the pieces by id; an id without a piece is a hole. */
function readPieces(model: unknown): string[] {
  if (!isObject(model)) throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected a model, found ${kindOf(model)}`);
  checkMerges(model.merges);
  if (Array.isArray(model.vocab)) return readScoredPieces(model.vocab);
  if (!isObject(model.vocab)) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected a model.vocab, found ${kindOf(model.vocab)}`);
  }
  const { vocab } = model;
  const pieces: string[] = [];
  for (const piece of Object.keys(vocab)) pieces[checkTokenId(vocab[piece], () => `model.vocab["${piece.slice(0, 40)}"]`)] = piece;
  return pieces;
}

function readScoredPieces(vocab: readonly unknown[]): string[] {
  if (vocab.length > MAX_TOKEN_ID) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: model.vocab: expected at most ${MAX_TOKEN_ID} pieces, found ${vocab.length}`);
  }
  return vocab.map((entry, i) => {
    if (Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "number") return entry[0];
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: model.vocab[${i}]: expected [piece, score], found ${show(entry)}`);
  });
}

// A merge is "left right" or ["left", "right"]; a third part means that a non-breaking space was lost on the way.
function checkMerges(merges: unknown): void {
  if (merges === undefined || merges === null) return;
  if (!Array.isArray(merges)) throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected an array model.merges, found ${kindOf(merges)}`);
  const wrong = merges.findIndex((merge) => !isMerge(merge));
  if (wrong < 0) return;
  throw new HearthError(
    "corrupt-checkpoint",
    `tokenizer.json: model.merges[${wrong}]: expected two pieces, found ${show(merges[wrong])}; download the file again`,
  );
}

// Splitting half a million strings would take a tenth of a second.
function isMerge(merge: unknown): boolean {
  if (typeof merge !== "string") return Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === "string");
  const space = merge.indexOf(" ");
  return space >= 0 && !merge.includes(" ", space + 1);
}

function checkTokenId(id: unknown, subject: () => string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MAX_TOKEN_ID) return id;
  throw new HearthError("corrupt-checkpoint", `tokenizer.json: ${subject()}: expected a token id below ${MAX_TOKEN_ID}, found ${show(id)}`);
}

function readAddedTokens(entries: unknown): Map<number, string> {
  if (!Array.isArray(entries)) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected an array added_tokens, found ${kindOf(entries)}`);
  }
  const added = new Map<number, string>();
  for (const [i, entry] of entries.entries()) {
    // An empty token would be found everywhere.
    if (!isObject(entry) || typeof entry.content !== "string" || entry.content === "") {
      throw new HearthError("corrupt-checkpoint", `tokenizer.json: added_tokens[${i}]: expected an id and a content, found ${show(entry)}`);
    }
    added.set(checkTokenId(entry.id, () => `added_tokens[${i}].id`), entry.content);
  }
  return added;
}

// A token is special by its own flag, or because tokenizer_config.json gives it a role such as end of text.
function findSpecialIds(json: Record<string, unknown>, config: Record<string, unknown>, addedTokens: ReadonlyMap<number, string>): Set<number> {
  const flagged = (json.added_tokens as { id: number; special?: boolean }[]).filter((token) => token.special === true); // checked by readAddedTokens
  const named = new Set(namedSpecialTokens(config));
  const withRole = [...addedTokens].filter(([, content]) => named.has(content));
  return new Set([...flagged.map(({ id }) => id), ...withRole.map(([id]) => id)]);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 200);
}
