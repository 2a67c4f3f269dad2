import { HearthError } from "../errors.ts";

import { isJsonNumber, isJsonObject, scanJson, type JsonObject, type JsonValue } from "./json_scanner.ts";

/** The fields of one JSON object of a config file, and how to name it in errors. */
export interface Fields {
  fileName: string;
  /** Dotted path of the object in its file, with a trailing dot; "" at the top. */
  path: string;
  values: ReadonlyMap<string, JsonValue>;
}

/** The values that a number may take, both ends included. */
export interface Bounds {
  min: number;
  max: number;
}

// Per-module quantisation lists make the largest real configs about 2 MB.
const MAX_CONFIG_CHARACTERS = 16 * 1024 * 1024;

/** Parse a config file; like Python, the last of two equal keys wins, and NaN and Infinity are numbers. */
export function parseFields(text: string, fileName: string): Fields {
  if (text.length > MAX_CONFIG_CHARACTERS) {
    corrupt(fileName, `expected at most ${MAX_CONFIG_CHARACTERS} characters, found ${text.length}`);
  }
  const root = scanJson(text, { fileName, numbers: "python" });
  if (!isJsonObject(root)) corrupt(fileName, "expected a JSON object");
  return { fileName, path: "", values: new Map(root.entries) };
}

/** An object inside the fields, or undefined when it is absent or null. */
export function objectField(fields: Fields, key: string): Fields | undefined {
  const value = fields.values.get(key) ?? undefined;
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return wrongType(fields, key, "an object");
  return { fileName: fields.fileName, path: `${fields.path}${key}.`, values: new Map((value as JsonObject).entries) };
}

/** A string, or undefined when it is absent or null. */
export function stringField(fields: Fields, key: string): string | undefined {
  const value = fields.values.get(key) ?? undefined;
  return value === undefined || typeof value === "string" ? value : wrongType(fields, key, "a string");
}

/** True or false, or undefined when it is absent or null. */
export function booleanField(fields: Fields, key: string): boolean | undefined {
  const value = fields.values.get(key) ?? undefined;
  return value === undefined || typeof value === "boolean" ? value : wrongType(fields, key, "true or false");
}

/** A list of strings, or undefined when it is absent or null. */
export function stringsField(fields: Fields, key: string): string[] | undefined {
  const value = fields.values.get(key) ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return wrongType(fields, key, "a list of strings");
  return value.map((item) => (typeof item === "string" ? item : wrongType(fields, key, "a list of strings")));
}

/** A finite number within bounds, or undefined when it is absent or null. */
export function numberField(fields: Fields, key: string, bounds: Bounds): number | undefined {
  const value = fields.values.get(key) ?? undefined;
  if (value === undefined) return undefined;
  const expected = `a number from ${bounds.min} to ${bounds.max}`;
  const number = isJsonNumber(value) ? Number(value.literal) : wrongType(fields, key, expected);
  return number >= bounds.min && number <= bounds.max ? number : wrongType(fields, key, expected);
}

/** An integer within bounds, or undefined when it is absent or null. */
export function integerField(fields: Fields, key: string, bounds: Bounds): number | undefined {
  const value = fields.values.get(key) ?? undefined;
  return value === undefined ? undefined : toInteger(fields, key, value, bounds);
}

/** An integer within bounds that the file must have. */
export function requiredInteger(fields: Fields, key: string, bounds: Bounds): number {
  return integerField(fields, key, bounds) ?? wrongType(fields, key, describe(bounds));
}

/** One integer or a list of them, as a list; empty when it is absent or null. */
export function integersField(fields: Fields, key: string, bounds: Bounds): number[] {
  const value = fields.values.get(key) ?? undefined;
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [toInteger(fields, key, value, bounds)];
  return value.map((item) => toInteger(fields, key, item, bounds));
}

/** A list of numbers within bounds, or undefined when it is absent or null. */
export function numbersField(fields: Fields, key: string, bounds: Bounds): number[] | undefined {
  const value = fields.values.get(key) ?? undefined;
  if (value === undefined) return undefined;
  const expected = `a list of numbers from ${bounds.min} to ${bounds.max}`;
  if (!Array.isArray(value)) return wrongType(fields, key, expected);
  return value.map((item) => {
    const number = isJsonNumber(item) ? Number(item.literal) : Number.NaN;
    return number >= bounds.min && number <= bounds.max ? number : wrongType(fields, key, expected);
  });
}

/** Throw the error for a field that is not what it should be. */
export function wrongType(fields: Fields, key: string, expected: string): never {
  corrupt(fields.fileName, `${fields.path}${key}: expected ${expected}, found ${show(fields.values.get(key))}`);
}

function toInteger(fields: Fields, key: string, value: JsonValue, bounds: Bounds): number {
  const number = isJsonNumber(value) ? Number(value.literal) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < bounds.min || number > bounds.max) {
    wrongType(fields, key, describe(bounds));
  }
  return number;
}

function describe(bounds: Bounds): string {
  return `an integer from ${bounds.min} to ${bounds.max}`;
}

function show(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (isJsonNumber(value)) return value.literal.slice(0, 40);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isJsonObject(value)) return "an object";
  return JSON.stringify(value).slice(0, 40);
}

function corrupt(subject: string, problem: string): never {
  throw new HearthError("corrupt-checkpoint", `${subject}: ${problem}`);
}
