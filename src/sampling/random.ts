// The generator is a function of (seed, step, token id) with no state, so that a GPU thread per token and a replay on
// the CPU draw the same numbers. All arithmetic is exact in 32 bits.

// The finaliser of MurmurHash3 (Austin Appleby, public domain): every input bit reaches every output bit.
function mix(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hash a seed, a step and a token id into an unsigned 32-bit integer. */
export function hash3(seed: number, step: number, id: number): number {
  const seeded = mix(seed ^ 0x9e3779b9);
  const stepped = mix(seeded ^ Math.imul(step, 0x85ebca77));
  return mix(stepped ^ Math.imul(id, 0xc2b2ae3d));
}

/** Draw a number in the open interval (0, 1); it has 24 bits, so float32 holds it exactly. */
export function uniform(seed: number, step: number, id: number): number {
  return ((hash3(seed, step, id) >>> 9) + 0.5) * 2 ** -23;
}

/** Draw from the standard Gumbel distribution: the argmax of logits plus such noise is a sample of their softmax. */
export function gumbel(seed: number, step: number, id: number): number {
  return -Math.log(-Math.log(uniform(seed, step, id)));
}
