/** A seeded source of test values. */
export interface RandomValues {
  /** Roughly normal, mean 0 and variance 1. */
  normal(): number;
  /** An integer from 0 to `count - 1`. */
  integer(count: number): number;
  /** f32 values drawn by `normal`, times `scale`. */
  floats(count: number, scale?: number): Float32Array<ArrayBuffer>;
  /** The integers from 0 to `count - 1` in random order. */
  permutation(count: number): Uint32Array<ArrayBuffer>;
}

/** Make a source of values: the same seed gives the same values. */
export function randomValues(seed: number): RandomValues {
  let state = seed >>> 0;
  // A Weyl sequence through the finaliser of MurmurHash3.
  const uniform = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(3) * (uniform() + uniform() + uniform() + uniform() - 2);
  const integer = (count: number) => Math.floor(uniform() * count);
  return {
    normal,
    integer,
    floats: (count, scale = 1) => Float32Array.from({ length: count }, () => scale * normal()),
    permutation: (count) => {
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const other = integer(i + 1);
        [order[i], order[other]] = [order[other], order[i]];
      }
      return order;
    },
  };
}
