import { HearthError } from "../errors.ts";
import { isObject, kindOf } from "./tokenizer_config.ts";

/** What the byte table is made from: the pieces, and how tokenizer.json says they become text. */
export interface TokenTableSource {
  /** The checked tokenizer.json; of it, only `decoder` is read. */
  json: { decoder?: unknown };
  vocabSize: number;
  /** The piece of an id as tokenizer.json spells it, such as "Ġthe" or "▁the". */
  pieceOf(id: number): string | undefined;
  /** Added tokens stand for themselves and never pass through the decoder. */
  addedTokens: ReadonlyMap<number, string>;
  specialIds: ReadonlySet<number>;
}

/** The bytes of every token as plain data, which can cross between threads. */
export interface TokenTable {
  /** The bytes of all tokens, one after the other. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the bytes of each token end, [vocabSize]. */
  ends: Uint32Array<ArrayBuffer>;
  specialIds: readonly number[];
  /** How many spaces the decoder drops at the very start of a text. */
  leadingSpaces: number;
}

type PieceToBytes = (piece: string) => Uint8Array;

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextEncoder();

/** Compute the bytes that each token adds to the text; none for an id that no piece has, as in the padding of a vocabulary. */
export function makeTokenTable({ json, vocabSize, pieceOf, addedTokens, specialIds }: TokenTableSource): TokenTable {
  const steps = flattenDecoder(json.decoder);
  const toBytes = pieceDecoder(steps);
  const ends = new Uint32Array(vocabSize);
  let bytes = new Uint8Array(vocabSize * 8); // most tokens are shorter
  let end = 0;
  for (let id = 0; id < vocabSize; id++) {
    const added = addedTokens.get(id);
    const piece = added ?? pieceOf(id);
    const own = piece === undefined ? NO_BYTES : added === undefined ? toBytes(piece) : utf8.encode(added);
    if (end + own.byteLength > bytes.byteLength) bytes = widened(bytes, end + own.byteLength);
    bytes.set(own, end);
    end += own.byteLength;
    ends[id] = end;
  }
  const leadingSpaces = steps.reduce((count, step) => Math.max(count, leadingSpacesOf(step)), 0);
  return { bytes: bytes.slice(0, end), ends, specialIds: [...specialIds], leadingSpaces };
}

// A decoder may replace a letter by a book; real tables stay below 4 MB.
const MAX_TABLE_BYTES = 256 * 1024 * 1024;

function widened(bytes: Uint8Array, byteLength: number): Uint8Array<ArrayBuffer> {
  if (byteLength > MAX_TABLE_BYTES) {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected tokens of at most ${MAX_TABLE_BYTES} bytes together, found more`);
  }
  const wider = new Uint8Array(2 * byteLength);
  wider.set(bytes);
  return wider;
}

/** The bytes that each token id adds to the text. */
export class TokenBytes {
  /** How many spaces the decoder drops at the very start of a text. */
  readonly leadingSpaces: number;
  private readonly table: TokenTable;
  private readonly specialIds: ReadonlySet<number>;

  constructor(table: TokenTable) {
    this.table = table;
    this.leadingSpaces = table.leadingSpaces;
    this.specialIds = new Set(table.specialIds);
  }

  /** The bytes of one token; none for an id beyond the vocabulary. */
  bytes(id: number): Uint8Array {
    const { bytes, ends } = this.table;
    if (!(id >= 0 && id < ends.length)) return NO_BYTES;
    return bytes.subarray(id === 0 ? 0 : ends[id - 1], ends[id]);
  }

  /** Tell whether a token is a control token that readers should not see. */
  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }
}

type DecoderStep = { type: string; [field: string]: unknown };

function flattenDecoder(decoder: unknown): DecoderStep[] {
  if (decoder === null) throw unsupportedDecoder("null");
  if (!isObject(decoder) || typeof decoder.type !== "string") {
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected a decoder with a type, found ${kindOf(decoder)}`);
  }
  if (decoder.type !== "Sequence") return [decoder as DecoderStep]; // the type was checked above
  return Array.isArray(decoder.decoders) ? decoder.decoders.flatMap(flattenDecoder) : [];
}

function leadingSpacesOf(step: DecoderStep): number {
  switch (step.type) {
    case "Strip":
      return step.content === " " && typeof step.start === "number" ? step.start : 0;
    case "Metaspace":
      return step.prepend_scheme === "never" ? 0 : 1;
    default:
      return 0;
  }
}

function pieceDecoder(steps: readonly DecoderStep[]): PieceToBytes {
  if (steps.some((step) => step.type === "ByteLevel")) return byteLevelBytes;
  const rewrites = steps.map(textRewrite);
  const rewrite = (piece: string) => utf8.encode(rewrites.reduce((text, apply) => apply(text), piece));
  if (!steps.some((step) => step.type === "ByteFallback")) return rewrite;
  return (piece) => fallbackByte(piece) ?? rewrite(piece);
}

function textRewrite(step: DecoderStep): (text: string) => string {
  switch (step.type) {
    case "Replace":
      return replacement(step);
    case "Metaspace":
      return (text) => text.replaceAll(typeof step.replacement === "string" ? step.replacement : "▁", " ");
    case "ByteFallback": // handled by the byte itself
    case "Fuse": // joins pieces, which the detokenizer does anyway
    case "Strip": // handled at the start of the text
      return (text) => text;
    default:
      throw unsupportedDecoder(step.type);
  }
}

// WordPiece belongs to encoders, which read text and write none.
function unsupportedDecoder(type: string): HearthError {
  const message = `tokenizer.json: expected a decoder of ByteLevel, ByteFallback, Metaspace or Replace, found ${type}; such a model cannot write text here`;
  return new HearthError("unsupported-checkpoint", message);
}

function replacement(step: DecoderStep): (text: string) => string {
  const content = typeof step.content === "string" ? step.content : "";
  const pattern = isObject(step.pattern) ? step.pattern : {};
  if (typeof pattern.String === "string") {
    const found = pattern.String;
    return (text) => text.replaceAll(found, () => content); // a function, so that "$" in the content stays literal
  }
  if (typeof pattern.Regex === "string") {
    const expression = new RegExp(pattern.Regex, "gu");
    return (text) => text.replace(expression, () => content);
  }
  throw new HearthError("corrupt-checkpoint", "tokenizer.json: expected a decoder Replace with a String or Regex pattern, found neither");
}

function fallbackByte(piece: string): Uint8Array | undefined {
  const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece);
  return hex === null ? undefined : Uint8Array.of(parseInt(hex[1], 16));
}

// GPT-2's alphabet: printable Latin-1 bytes are themselves, the other 68 are U+0100 onwards in increasing order.
// Index: character code; -1 where the alphabet has none. An array, because it is read for every character of a vocabulary.
const BYTE_OF_CHARACTER: Int16Array = byteLevelAlphabet();

function byteLevelAlphabet(): Int16Array {
  const alphabet = new Int16Array(65_536).fill(-1);
  let moved = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    alphabet[printable ? byte : 256 + moved++] = byte;
  }
  return alphabet;
}

// A piece with a character outside the alphabet stands for itself, as in the tokenizers library.
function byteLevelBytes(piece: string): Uint8Array {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = BYTE_OF_CHARACTER[piece.charCodeAt(i)];
    if (byte < 0) return utf8.encode(piece);
    bytes[i] = byte;
  }
  return bytes;
}
