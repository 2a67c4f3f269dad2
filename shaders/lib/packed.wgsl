// Thirty-two signed 8-bit codes, four to a word, for dot4I8Packed.
struct Packed {
  low: vec4u,
  high: vec4u,
}

fn packed_dot(a: Packed, b: Packed) -> i32 {
  return dot4I8Packed(a.low.x, b.low.x) + dot4I8Packed(a.low.y, b.low.y) + dot4I8Packed(a.low.z, b.low.z) + dot4I8Packed(a.low.w, b.low.w)
    + dot4I8Packed(a.high.x, b.high.x) + dot4I8Packed(a.high.y, b.high.y) + dot4I8Packed(a.high.z, b.high.z) + dot4I8Packed(a.high.w, b.high.w);
}
