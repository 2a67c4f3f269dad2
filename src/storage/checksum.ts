// XXH32 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md) with seed 0. In plain TypeScript it reads 2 GB a second, and needs
// no WebAssembly, which a page's Content-Security-Policy may bar.

const PRIMES: readonly [number, number, number, number, number] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const STRIPE_WORDS = 4;

const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/**
 * The checksum of a stored chunk, which shows that storage changed or lost some of it: every load checks every chunk, so it
 * has to be faster than reading. Whether the content is the publisher's is told by the file's SHA-256, once.
 */
export function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2); // every machine with WebGPU is little-endian
  const [prime1, prime2, prime3, prime4, prime5] = PRIMES;
  const stripedWords = words.length - (words.length % STRIPE_WORDS);
  let hash = prime5;
  if (stripedWords > 0) {
    let [a, b, c, d] = [(prime1 + prime2) | 0, prime2 | 0, 0, -prime1 | 0];
    for (let i = 0; i < stripedWords; i += STRIPE_WORDS) {
      a = Math.imul(rotate((a + Math.imul(words[i], prime2)) | 0, 13), prime1);
      b = Math.imul(rotate((b + Math.imul(words[i + 1], prime2)) | 0, 13), prime1);
      c = Math.imul(rotate((c + Math.imul(words[i + 2], prime2)) | 0, 13), prime1);
      d = Math.imul(rotate((d + Math.imul(words[i + 3], prime2)) | 0, 13), prime1);
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  }
  hash = (hash + bytes.byteLength) | 0;
  for (let i = stripedWords; i < words.length; i++) {
    hash = Math.imul(rotate((hash + Math.imul(words[i], prime3)) | 0, 17), prime4);
  }
  for (let i = 4 * words.length; i < bytes.byteLength; i++) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[i], prime5)) | 0, 11), prime1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
