// Unsigned 8-bit codes as signed bytes, 128 less, with the scale and bias that suit them. Parts: packed, codes_q8, scales_*.
fn packed_codes(words: Codes) -> Packed {
  return Packed(words.low ^ vec4u(0x80808080u), words.high ^ vec4u(0x80808080u));
}

fn packed_scale(pair: Pair) -> vec2f {
  let affine = scale_and_bias(pair);
  return vec2f(affine.x, affine.y + 128.0 * affine.x);
}
