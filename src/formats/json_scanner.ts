import { HearthError } from "../errors.ts";

/** A JSON value as written: numbers keep their literal and objects keep every entry, duplicates included. */
export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;

/** A number's source text, so that `0.0` and integers past 2^53 can be told from what they round to. */
export interface JsonNumber {
  readonly literal: string;
}

/** An object's entries in file order; the same key may occur twice. */
export interface JsonObject {
  readonly entries: [string, JsonValue][];
}

/** What to scan, and how the text is named in errors. */
export interface ScanOptions {
  fileName: string;
  /** "python" also takes the bare NaN, Infinity and -Infinity that Python's json module writes. */
  numbers?: "json" | "python";
  /** How many values the document may hold, those inside of others included. */
  maxValues?: number;
}

// The safetensors reference parser refuses the 128th level; no honest file comes near it.
const MAX_DEPTH = 128;
const MAX_VALUES = 1_500_000; // a header of 100,000 tensors holds 800,000

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PYTHON_NUMBER = /NaN|-?Infinity/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t",
};

/** Whether a scanned value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && "entries" in value && !Array.isArray(value);
}

/** Whether a scanned value is a number. */
export function isJsonNumber(value: JsonValue | undefined): value is JsonNumber {
  return typeof value === "object" && value !== null && "literal" in value;
}

/** Parse one JSON document strictly, keeping what `JSON.parse` throws away: duplicate keys and number literals. */
export function scanJson(text: string, options: ScanOptions): JsonValue {
  const scanner = new Scanner(text, options);
  return scanner.document();
}

/**
 * Parse a document that is one object, handing over each of its entries as soon as it is read: of a header of 100,000
 * tensors no tree is ever held, which would be most of what reading it costs. Throws `HearthError` as `scanJson` does.
 */
export function scanJsonObject(text: string, options: ScanOptions, onEntry: (key: string, value: JsonValue) => void): void {
  const scanner = new Scanner(text, options);
  scanner.documentOfEntries(onEntry);
}

class Scanner {
  readonly #text: string;
  readonly #options: ScanOptions;
  #position = 0;
  #values = 0;

  constructor(text: string, options: ScanOptions) {
    this.#text = text;
    this.#options = options;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#end();
    return value;
  }

  documentOfEntries(onEntry: (key: string, value: JsonValue) => void): void {
    this.#skipSpace();
    if (this.#text[this.#position] !== "{") this.#fail("expected a JSON object");
    this.#entries(this.#enter(0), onEntry);
    this.#end();
  }

  #end(): void {
    this.#skipSpace();
    if (this.#position < this.#text.length) this.#fail("expected the end of the JSON");
  }

  #value(depth: number): JsonValue {
    const { maxValues = MAX_VALUES } = this.#options;
    if (++this.#values > maxValues) this.#fail(`expected at most ${maxValues} values`);
    this.#skipSpace();
    switch (this.#text[this.#position]) {
      case "{": return this.#object(this.#enter(depth));
      case "[": return this.#array(this.#enter(depth));
      case '"': return this.#string();
      case "t": return this.#word("true", true);
      case "f": return this.#word("false", false);
      case "n": return this.#word("null", null);
      default: return this.#number();
    }
  }

  #enter(depth: number): number {
    if (depth + 1 >= MAX_DEPTH) this.#fail(`expected fewer than ${MAX_DEPTH} levels of nesting`);
    this.#position++;
    return depth + 1;
  }

  #object(depth: number): JsonObject {
    const entries: [string, JsonValue][] = [];
    this.#entries(depth, (key, value) => void entries.push([key, value]));
    return { entries };
  }

  #entries(depth: number, onEntry: (key: string, value: JsonValue) => void): void {
    if (this.#take("}")) return;
    do {
      this.#skipSpace();
      if (this.#text[this.#position] !== '"') this.#fail("expected a quoted key");
      const key = this.#string();
      if (!this.#take(":")) this.#fail('expected ":" after a key');
      onEntry(key, this.#value(depth));
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail('expected "," or "}"');
  }

  #array(depth: number): JsonValue[] {
    const values: JsonValue[] = [];
    if (this.#take("]")) return values;
    do values.push(this.#value(depth));
    while (this.#take(","));
    if (!this.#take("]")) this.#fail('expected "," or "]"');
    return values;
  }

  #string(): string {
    let text = "";
    let begin = ++this.#position;
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code === 0x22) break;
      if (Number.isNaN(code)) this.#fail("expected a closing quote");
      if (code < 0x20) this.#fail("expected control characters in strings to be escaped");
      if (code !== 0x5c) {
        this.#position++;
        continue;
      }
      text += this.#text.slice(begin, this.#position) + this.#escape();
      begin = this.#position;
    }
    const tail = this.#text.slice(begin, this.#position++);
    // Only escapes can make a lone surrogate; it has no UTF-8 form, so no other reader could hold the string.
    if (text !== "" && LONE_SURROGATE.test(text + tail)) this.#fail("expected surrogate escapes in pairs");
    return text + tail;
  }

  #escape(): string {
    const letter = this.#text[this.#position + 1];
    if (letter === "u") {
      const digits = this.#text.slice(this.#position + 2, this.#position + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail("expected four hexadecimal digits after \\u");
      this.#position += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    if (letter === undefined || !Object.hasOwn(ESCAPES, letter)) this.#fail("expected a known escape after a backslash");
    this.#position += 2;
    return ESCAPES[letter];
  }

  #number(): JsonNumber {
    const literal = this.#match(NUMBER) ?? (this.#options.numbers === "python" ? this.#match(PYTHON_NUMBER) : undefined);
    if (literal === undefined) this.#fail("expected a JSON value");
    return { literal };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const literal = pattern.exec(this.#text)?.[0];
    if (literal !== undefined) this.#position += literal.length;
    return literal;
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) this.#fail("expected a JSON value");
    this.#position += word.length;
    return value;
  }

  #take(punctuation: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#position] !== punctuation) return false;
    this.#position++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position++;
    }
  }

  #fail(expectation: string): never {
    const found = this.#position < this.#text.length
      ? JSON.stringify(this.#text.slice(this.#position, this.#position + 12))
      : "the end of the text";
    throw new HearthError(
      "corrupt-checkpoint",
      `${this.#options.fileName}: ${expectation} at character ${this.#position}, found ${found}`,
    );
  }
}
