// Unsigned 4-bit codes as signed bytes, with their scale and bias. Parts: packed, codes_q4, scales_*.
fn packed_codes(words: Codes) -> Packed {
  let low = words & vec4u(0x0f0f0f0fu);
  let high = (words >> vec4u(4u)) & vec4u(0x0f0f0f0fu);
  return Packed(vec4u(low.x, high.x, low.y, high.y), vec4u(low.z, high.z, low.w, high.w));
}

fn packed_scale(pair: Pair) -> vec2f {
  return scale_and_bias(pair);
}
