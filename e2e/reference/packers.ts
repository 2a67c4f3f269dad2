/** Codes `0..count-1`, each of `bits` bits, as one little-endian stream in bytes. */
export function packStream(codes: readonly number[], bits: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil((codes.length * bits) / 32) * 4);
  for (const [i, code] of codes.entries()) {
    for (let bit = 0; bit < bits; bit++) {
      const place = i * bits + bit;
      if ((code >> bit) & 1) bytes[place >> 3] |= 1 << (place & 7);
    }
  }
  return bytes;
}

/** Codes, as many to a word as fit whole. */
export function packWords(codes: readonly number[], bits: number): Uint8Array<ArrayBuffer> {
  const perWord = Math.floor(32 / bits);
  const words = new Uint32Array(Math.ceil(codes.length / perWord));
  for (const [i, code] of codes.entries()) words[Math.floor(i / perWord)] |= code << (bits * (i % perWord));
  return new Uint8Array(words.buffer);
}

/** Every row's packed words, one row after another. */
export function packRows(rows: number, columns: number, code: (row: number, column: number) => number, pack: (codes: number[]) => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return join(Array.from({ length: rows }, (_, row) => pack(Array.from({ length: columns }, (_, column) => code(row, column)))));
}

/** Word-packed rows turned: word w of row r becomes word r of row w. */
export function turnWords(bytes: Uint8Array<ArrayBuffer>, rows: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(bytes.buffer);
  const across = words.length / rows;
  const turned = Uint32Array.from(words, (_, i) => words[(i % rows) * across + Math.floor(i / rows)]);
  return new Uint8Array(turned.buffer);
}

const AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

/** Eight 4-bit codes to a word in AWQ's order. */
export function packAwq(codes: readonly number[]): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(codes.length / 8);
  for (let i = 0; i < codes.length; i++) words[i >> 3] |= codes[(i & ~7) + AWQ_ORDER[i & 7]] << (4 * (i & 7));
  return new Uint8Array(words.buffer);
}

/** Two 4-bit codes to a byte, the first high. */
export function packHighFirst(codes: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: codes.length / 2 }, (_, i) => (codes[2 * i] << 4) | codes[2 * i + 1]);
}

/** Codes of all rows in planes: as many equal parts as a byte has codes, the first in the lowest or the highest bits. */
export function packPlanes(codes: readonly number[], bits: number, first: "low" | "high"): Uint8Array<ArrayBuffer> {
  const planes = 8 / bits;
  const length = codes.length / planes;
  return Uint8Array.from({ length }, (_, i) => {
    const parts = Array.from({ length: planes }, (_, plane) => codes[plane * length + i]);
    return (first === "low" ? parts.reverse() : parts).reduce((byte, code) => (byte << bits) | code, 0);
  });
}

/** The words of packed bytes, in hexadecimal. */
export function hexWords(bytes: Uint8Array<ArrayBuffer>): string {
  return [...new Uint32Array(bytes.buffer)].map((word) => word.toString(16).padStart(8, "0")).join(" ");
}

/** GPTQ's first version stores zero points less one, taken off the packed words. */
export function takeOne(bytes: Uint8Array<ArrayBuffer>, bits: number): Uint8Array<ArrayBuffer> {
  const ones = Number.parseInt({ 2: "55555555", 4: "11111111", 8: "01010101" }[bits]!, 16); // the widths that have such words
  return new Uint8Array(Uint32Array.from(new Uint32Array(bytes.buffer), (word) => word - ones).buffer);
}

/** The value of an 8-bit float with 4 bits of exponent. */
export function decodeE4m3(byte: number): number {
  const sign = byte & 128 ? -1 : 1;
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7));
}

/** The values of 4-bit floats with 2 bits of exponent. */
export const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/** The values of NormalFloat. */
export const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0,
  0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

/** The values of bitsandbytes' 4-bit floats. */
export const FP4 = [0, 0.0052083335, 0.6666667, 1, 0.33333334, 0.5, 0.16666667, 0.25, 0, -0.0052083335, -0.6666667, -1, -0.33333334, -0.5, -0.16666667, -0.25];

/** Byte arrays, one after another. */
export function join(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.byteLength;
  }
  return all;
}
