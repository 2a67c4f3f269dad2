// A scale and a bias in half floats, rounded to nearest, ties to even, before they are packed: WGSL leaves the rounding
// of pack2x16float open.
fn rounded(value: f32) -> f32 {
  if (abs(value) < 6.103515625e-5) {
    return round(value * 16777216.0) / 16777216.0;
  }
  let bits = bitcast<u32>(value);
  return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}

fn store_pair(place: u32, scale: f32, bias: f32) {
  pairs[place] = pack2x16float(vec2f(rounded(scale), rounded(bias)));
}
