// Random weights in pieces that are written again and again: speed does not depend on their values, only on their size.
import { randomFillSync } from "node:crypto";
import { writeSync } from "node:fs";

const PIECE = 1 << 20; // units of a repeated piece, enough that no cache keeps all of it

/** The scale at which uniform codes of four bits have variance 1 / columns, so that no layer overflows. */
export function codeScale(columns) {
  return Math.sqrt(3 / columns) / 7.5;
}

/** The bits of a positive number as an IEEE half, for the normal range. */
export function toHalf(value) {
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
}

/** A buffer of `count` copies of a number, as f16 or f32. */
export function filled(count, value, type) {
  const array = type === "f16" ? new Uint16Array(count).fill(value === 0 ? 0 : toHalf(value)) : new Float32Array(count).fill(value);
  return Buffer.from(array.buffer);
}

/** Append `byteLength` random bytes to an open file. */
export function writeCodes(file, byteLength) {
  writeRepeated(file, randomFillSync(Buffer.alloc(Math.min(PIECE, byteLength))), byteLength);
}

/** Append blocks of GGUF's Q4_0: an f16 scale and the codes of 32 weights. */
export function writeQ4Blocks(file, blocks, scale) {
  const piece = randomFillSync(Buffer.alloc(18 * Math.min(65_536, blocks)));
  for (let at = 0; at < piece.length; at += 18) piece.writeUInt16LE(toHalf(scale), at);
  writeRepeated(file, piece, 18 * blocks);
}

/** Append `byteLength` bytes of a piece, over and over. */
export function writeRepeated(file, piece, byteLength) {
  for (let left = byteLength; left > 0; left -= piece.length) writeAll(file, piece.subarray(0, Math.min(left, piece.length)));
}

/** Append a whole buffer, however the system splits it. */
export function writeAll(file, buffer) {
  for (let at = 0; at < buffer.length; ) at += writeSync(file, buffer, at);
}
