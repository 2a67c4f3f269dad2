// XXH32 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), for pages whose Content-Security-Policy bars WebAssembly.

const PRIMES: readonly [number, number, number, number, number] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const STRIPE_BYTES = 16;

const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/** The 32-bit xxHash of bytes, with seed 0. */
export function plainXxh32(bytes: Uint8Array): number {
  const [prime1, prime2, prime3, prime4, prime5] = PRIMES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  let hash = prime5;
  if (bytes.byteLength >= STRIPE_BYTES) {
    let [a, b, c, d] = [(prime1 + prime2) | 0, prime2 | 0, 0, -prime1 | 0];
    for (; position + STRIPE_BYTES <= bytes.byteLength; position += STRIPE_BYTES) {
      a = Math.imul(rotate((a + Math.imul(view.getInt32(position, true), prime2)) | 0, 13), prime1);
      b = Math.imul(rotate((b + Math.imul(view.getInt32(position + 4, true), prime2)) | 0, 13), prime1);
      c = Math.imul(rotate((c + Math.imul(view.getInt32(position + 8, true), prime2)) | 0, 13), prime1);
      d = Math.imul(rotate((d + Math.imul(view.getInt32(position + 12, true), prime2)) | 0, 13), prime1);
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  }
  hash = (hash + bytes.byteLength) | 0;
  for (; position + 4 <= bytes.byteLength; position += 4) {
    hash = Math.imul(rotate((hash + Math.imul(view.getInt32(position, true), prime3)) | 0, 17), prime4);
  }
  for (; position < bytes.byteLength; position++) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[position], prime5)) | 0, 11), prime1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
