// IEEE half floats, read without shader-f16.
fn half_quad(low: u32, high: u32) -> vec4f {
  return vec4f(unpack2x16float(low), unpack2x16float(high));
}
