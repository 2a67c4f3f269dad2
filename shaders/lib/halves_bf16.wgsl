// bfloat16: the upper halves of f32.
fn half_quad(low: u32, high: u32) -> vec4f {
  return bitcast<vec4f>(vec4u(low << 16u, low & 0xffff0000u, high << 16u, high & 0xffff0000u));
}
