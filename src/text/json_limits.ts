import { HearthError } from "../errors.ts";

// No honest file comes near these; without them a small download could cost the page seconds and gigabytes.
const MAX_CHARACTERS = 64 * 1024 * 1024; // the largest tokenizer.json seen, Gemma's, has 33 million
const MAX_DEPTH = 64;
const MAX_KEYS = 1_000_000; // of one object: vocabularies end near 262,000
const MAX_ITEMS = 2_000_000; // of one array: merges end near 515,000

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * Refuse JSON that is too long, too deep or too wide to parse, in one pass that allocates nothing.
 * Says nothing about whether the text is JSON at all.
 */
export function checkJsonLimits(json: string, file: string): void {
  if (json.length > MAX_CHARACTERS) refuse(file, `at most ${MAX_CHARACTERS} characters`, `${json.length}`);
  const isObject = new Uint8Array(MAX_DEPTH + 1);
  const commas = new Uint32Array(MAX_DEPTH + 1);
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(json, i + 1);
        break;
      case COMMA:
        if (++commas[depth] >= MAX_KEYS) checkWidth(isObject[depth] === 1, commas[depth], file);
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > MAX_DEPTH) refuse(file, `at most ${MAX_DEPTH} levels of nesting`, "more");
        isObject[depth] = json[i] === "{" ? 1 : 0;
        commas[depth] = 0;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (depth > 0) depth--;
        break;
      default:
    }
  }
}

function endOfString(json: string, begin: number): number {
  for (let i = begin; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return json.length;
}

function checkWidth(isObject: boolean, commas: number, file: string): void {
  if (isObject) refuse(file, `at most ${MAX_KEYS} entries in one object`, "more");
  if (commas >= MAX_ITEMS) refuse(file, `at most ${MAX_ITEMS} items in one list`, "more");
}

function refuse(file: string, expected: string, found: string): never {
  throw new HearthError("corrupt-checkpoint", `${file}: expected ${expected}, found ${found}; this is no honest model's file`);
}
