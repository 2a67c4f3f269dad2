// A counter-based generator: the number depends on seed, step and token id only. The twin is src/sampling/random.ts.

// The finaliser of MurmurHash3 (Appleby, public domain).
fn mix_bits(value: u32) -> u32 {
  var h = value;
  h ^= h >> 16u;
  h *= 0x85ebca6bu;
  h ^= h >> 13u;
  h *= 0xc2b2ae35u;
  h ^= h >> 16u;
  return h;
}

fn hash(seed: u32, step: u32, id: u32) -> u32 {
  return mix_bits(mix_bits(mix_bits(seed ^ 0x9e3779b9u) ^ (step * 0x85ebca77u)) ^ (id * 0xc2b2ae3du));
}

// Standard Gumbel noise.
fn gumbel(seed: u32, step: u32, id: u32) -> f32 {
  let uniform_draw = (f32(hash(seed, step, id) >> 9u) + 0.5) * 0x1p-23;
  return -log(-log(uniform_draw));
}
