import { HearthError } from "../errors.ts";
import { checkJsonLimits } from "./json_limits.ts";

/** The keys of tokenizer_config.json that name one special token each. */
export const SPECIAL_TOKEN_KEYS = [
  "bos_token",
  "eos_token",
  "unk_token",
  "pad_token",
  "sep_token",
  "cls_token",
  "mask_token",
] as const;

/** Parse a JSON file that must hold an object; `file` names it in the error. */
export function parseJsonObject(json: string, file: string): Record<string, unknown> {
  checkJsonLimits(json, file);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HearthError("corrupt-checkpoint", `${file}: expected JSON, found ${reason}; download the file again`, { cause });
  }
  if (!isObject(value)) {
    throw new HearthError("corrupt-checkpoint", `${file}: expected a JSON object, found ${kindOf(value)}`);
  }
  return value;
}

/** Tell whether a value is a plain JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Say what kind of value was found, for error messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `${typeof value}`;
}

/** Read a special token that is written as a string or as `{ content }`; undefined when the entry names none. */
export function specialTokenText(entry: unknown): string | undefined {
  if (typeof entry === "string") return entry;
  if (isObject(entry) && typeof entry.content === "string") return entry.content;
  return undefined;
}

/** List the texts of every special token that tokenizer_config.json names. */
export function namedSpecialTokens(config: Record<string, unknown>): string[] {
  const entries = [
    ...SPECIAL_TOKEN_KEYS.map((key) => config[key]),
    ...listEntries(config.additional_special_tokens),
    ...listEntries(config.extra_special_tokens),
  ];
  return entries.map(specialTokenText).filter((text) => text !== undefined);
}

// Extra special tokens are a list in most files and a dictionary of names in some written by transformers 5.
function listEntries(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}
