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

// Standard Gumbel noise, -log(-log(u)). WGSL promises log only to an absolute 2^-21 near one, where the winners' draws
// lie, so there the inner logarithm is its series in 1 - u, which is exact in f32.
fn gumbel(seed: u32, step: u32, id: u32) -> f32 {
  let draw = hash(seed, step, id) >> 9u;
  let u = (f32(draw) + 0.5) * 0x1p-23;
  let rest = (f32(8388607u - draw) + 0.5) * 0x1p-23; // 1 - u
  let series = rest * (1.0 + rest * (0.5 + rest * (0.33333333 + rest * (0.25 + rest * (0.2 + rest * 0.16666667)))));
  return -log(select(-log(u), series, rest < 0.0625));
}
