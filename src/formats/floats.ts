/** Float types that a checkpoint may store vectors in. */
export type FloatDtype = "F32" | "F16" | "BF16";

/** Whether a dtype is one of the plain float types. */
export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/** Decode little-endian floats of any of those types, at any alignment. */
export function decodeFloats(bytes: Uint8Array, dtype: FloatDtype): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "F32") return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
  const decode = dtype === "F16" ? decodeHalf : decodeBfloat;
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, i) => decode(view.getUint16(2 * i, true)));
}

const scratch = new DataView(new ArrayBuffer(4));

function decodeBfloat(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
