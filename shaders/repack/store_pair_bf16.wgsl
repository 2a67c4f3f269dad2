// A scale and a bias in bfloat16, rounded to nearest, ties to even.
fn rounded(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

fn store_pair(place: u32, scale: f32, bias: f32) {
  pairs[place] = rounded(scale) | (rounded(bias) << 16u);
}
