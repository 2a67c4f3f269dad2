import { HearthError } from "../errors.ts";

import type { ByteFile } from "./byte_file.ts";
import { isJsonNumber, isJsonObject, scanJsonObject, type JsonValue } from "./json_scanner.ts";

/** Bits of one element of each dtype that a safetensors header may name. */
export const DTYPE_BITS = {
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64,
  F4: 4, F6_E2M3: 6, F6_E3M2: 6,
} as const;

/** The name of an element type, as a safetensors header spells it. */
export type Dtype = keyof typeof DTYPE_BITS;

/** Where one tensor lies in its file. */
export interface TensorEntry {
  name: string;
  dtype: Dtype;
  /** Row-major; counts elements also where an element is less than a byte. */
  shape: number[];
  /** First byte, counted from the start of the file. Nothing promises alignment. */
  begin: number;
  /** One past the last byte, counted from the start of the file. */
  end: number;
}

/** A checked header: every byte of the file after it belongs to exactly one tensor. */
export interface SafetensorsHeader {
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

const LENGTH_BYTES = 8;
// The reference reader takes 100 MB, where a browser would spend seconds on what no model needs; Hub clients stop here too.
const MAX_HEADER_BYTES = 25_000_000;
const MAX_TENSORS = 100_000; // the largest checkpoints known have 92,000 in all their files together
const MAX_RANK = 8; // real weights have four dimensions at most
const MAX_DIMENSION = 2 ** 32; // more elements in a row than any GPU addresses
const FIRST_READ_BYTES = 256 * 1024; // holds the whole header of most checkpoints, so one request is enough
const MAX_U64 = 2n ** 64n - 1n; // the reference counts in unsigned 64-bit integers and refuses what overflows

/** Read a header's byte length from the first eight bytes of a file. */
export function parseHeaderLength(first8: Uint8Array, fileLength: number, fileName: string): number {
  if (first8.byteLength < LENGTH_BYTES || fileLength < LENGTH_BYTES) {
    corrupt(fileName, `expected at least ${LENGTH_BYTES} bytes, found ${Math.min(first8.byteLength, fileLength)}`);
  }
  const length = new DataView(first8.buffer, first8.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    corrupt(fileName, `expected a header of at most ${MAX_HEADER_BYTES} bytes, found ${length}`);
  }
  if (LENGTH_BYTES + Number(length) > fileLength) {
    corrupt(fileName, `expected a header of ${length} bytes, found a file of only ${fileLength}; fetch the file again`);
  }
  return Number(length);
}

/** Parse and check the JSON part of a header, refusing whatever the reference reader refuses, and names that occur twice. */
export function parseSafetensorsHeader(
  headerBytes: Uint8Array,
  fileLength: number,
  fileName: string,
): SafetensorsHeader {
  const dataBegin = LENGTH_BYTES + headerBytes.byteLength;
  // A Map, because "__proto__" and "" are legal tensor names.
  const tensors = new Map<string, TensorEntry>();
  let metadata: Record<string, string> | undefined;
  scanJsonObject(decodeUtf8(headerBytes, fileName), { fileName }, (name, value) => {
    if (name === "__metadata__") {
      if (metadata !== undefined) corrupt(fileName, "expected one __metadata__, found two");
      metadata = parseMetadata(value, fileName);
      return;
    }
    // Readers differ in which of two they take, so a file could show one model to a scanner and another to its user.
    if (tensors.has(name)) corrupt(fileName, `expected one tensor ${quoted(name)}, found two`);
    if (tensors.size === MAX_TENSORS) corrupt(fileName, `expected at most ${MAX_TENSORS} tensors, found more`);
    tensors.set(name, parseEntry(value, name, dataBegin, fileName));
  });
  checkCoverage(tensors, dataBegin, fileLength, fileName);
  return { tensors, metadata: metadata ?? {} };
}

/** Read and check the header of a safetensors file, in one read when it is short. */
export async function readSafetensorsHeader(file: ByteFile, signal?: AbortSignal): Promise<SafetensorsHeader> {
  const first = await file.read(0, Math.min(FIRST_READ_BYTES, file.byteLength), signal);
  const length = parseHeaderLength(first.subarray(0, LENGTH_BYTES), file.byteLength, file.name);
  const headerEnd = LENGTH_BYTES + length;
  if (headerEnd <= first.byteLength) {
    return parseSafetensorsHeader(first.subarray(LENGTH_BYTES, headerEnd), file.byteLength, file.name);
  }
  const rest = await file.read(first.byteLength, headerEnd, signal);
  const header = new Uint8Array(length);
  header.set(first.subarray(LENGTH_BYTES));
  header.set(rest, first.byteLength - LENGTH_BYTES);
  return parseSafetensorsHeader(header, file.byteLength, file.name);
}

function decodeUtf8(bytes: Uint8Array, fileName: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HearthError("corrupt-checkpoint", `${fileName}: expected the header to be UTF-8`, { cause });
  }
}

function parseMetadata(value: JsonValue, fileName: string): Record<string, string> {
  if (value === null) return {};
  if (!isJsonObject(value)) corrupt(fileName, "expected __metadata__ to be an object");
  for (const [key, text] of value.entries) {
    if (typeof text !== "string") corrupt(fileName, `expected __metadata__ "${key}" to be a string`);
  }
  return Object.fromEntries(value.entries) as Record<string, string>; // every value was checked above
}

function parseEntry(value: JsonValue, name: string, dataBegin: number, fileName: string): TensorEntry {
  const subject = `${fileName}: tensor ${quoted(name)}`;
  if (!isJsonObject(value)) corrupt(subject, "expected an object with dtype, shape and data_offsets");
  const fields: { dtype?: JsonValue; shape?: JsonValue; data_offsets?: JsonValue } = {};
  for (const [key, field] of value.entries) {
    if (key !== "dtype" && key !== "shape" && key !== "data_offsets") continue;
    if (fields[key] !== undefined) corrupt(subject, `expected one ${key}, found two`);
    fields[key] = field;
  }
  const dtype = parseDtype(fields.dtype, subject);
  const shape = parseShape(fields.shape, subject);
  const offsets = parseIntegers(fields.data_offsets, "data_offsets", subject);
  if (offsets.length !== 2) corrupt(subject, `expected two data_offsets, found ${offsets.length}`);
  const [begin, end] = offsets;
  if (end < begin) corrupt(subject, `expected data_offsets in order, found [${begin}, ${end}]`);
  const byteLength = tensorByteLength(dtype, shape, subject);
  if (end - begin !== byteLength) {
    corrupt(subject, `expected ${byteLength} bytes for ${dtype} [${shape}], found ${end - begin}`);
  }
  // Offsets past 2^53 were rounded; the coverage check refuses them, because no file is that long.
  return { name, dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

function parseDtype(value: JsonValue | undefined, subject: string): Dtype {
  if (typeof value !== "string") corrupt(subject, "expected dtype to be a string");
  if (!Object.hasOwn(DTYPE_BITS, value)) corrupt(subject, `expected a known dtype, found ${quoted(value)}`);
  return value as Dtype; // an own key of DTYPE_BITS, as checked
}

function parseShape(value: JsonValue | undefined, subject: string): number[] {
  if (Array.isArray(value) && value.length > MAX_RANK) corrupt(subject, `expected at most ${MAX_RANK} dimensions, found ${value.length}`);
  const shape = parseIntegers(value, "shape", subject);
  const wide = shape.find((dimension) => dimension > MAX_DIMENSION);
  if (wide !== undefined) corrupt(subject, `expected dimensions of at most ${MAX_DIMENSION}, found ${wide}`);
  return shape;
}

function parseIntegers(value: JsonValue | undefined, key: string, subject: string): number[] {
  if (!Array.isArray(value)) corrupt(subject, `expected ${key} to be an array`);
  return value.map((item) => {
    const literal = isJsonNumber(item) ? item.literal : "";
    // Checked on the literal: 0.0, 1e2 and -0 are not integers to the reference. 20 digits hold 2^64.
    if (/^[0-9]{1,15}$/.test(literal) || (/^[0-9]{1,20}$/.test(literal) && BigInt(literal) <= MAX_U64)) return Number(literal);
    return corrupt(subject, `expected ${key} to hold non-negative integers, found ${literal.slice(0, 40) || "something else"}`);
  });
}

function tensorByteLength(dtype: Dtype, shape: readonly number[], subject: string): number {
  const factors = [...shape, DTYPE_BITS[dtype]];
  const bits = factors.every((factor) => factor > 0) ? factors.reduce((product, factor) => product * factor, 1) : Infinity;
  if (bits <= Number.MAX_SAFE_INTEGER && bits % 8 === 0) return bits / 8;
  return exactByteLength(factors, dtype, shape, subject);
}

// Left to right and including the bits, so that the same shapes overflow as in the reference.
function exactByteLength(factors: readonly number[], dtype: Dtype, shape: readonly number[], subject: string): number {
  let bits = 1n;
  for (const factor of factors) {
    bits *= BigInt(factor);
    if (bits > MAX_U64) corrupt(subject, `expected a size below 2^64, found ${dtype} [${shape}]`);
  }
  if (bits % 8n !== 0n) corrupt(subject, `expected whole bytes, found ${bits} bits for ${dtype} [${shape}]`);
  return Number(bits / 8n);
}

function checkCoverage(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataBegin: number,
  fileLength: number,
  fileName: string,
): void {
  const inFileOrder = [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = dataBegin;
  for (const { name, begin, end } of inFileOrder) {
    if (begin !== position) {
      const problem = begin < position ? "overlaps the tensor before it" : "leaves a gap before it";
      corrupt(`${fileName}: tensor ${quoted(name)}`, `expected to begin at byte ${position}, found ${begin}, which ${problem}`);
    }
    position = end;
  }
  if (position === fileLength) return;
  const problem = position > fileLength ? "the file is truncated; fetch it again" : "bytes are left over";
  corrupt(fileName, `expected ${position} bytes, found ${fileLength}: ${problem}`);
}

// A name may be as long as the header.
function quoted(name: string): string {
  return `"${name.slice(0, 200)}"`;
}

function corrupt(subject: string, problem: string): never {
  throw new HearthError("corrupt-checkpoint", `${subject}: ${problem}`);
}
