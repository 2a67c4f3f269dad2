// Four numbers as codes of 16 bits in planes of bytes, for dot4I8Packed: a code is 256 times its high byte plus its low one, both signed.
const PLANES_PEAK = 127.0 * 256.0;         // the largest code
const ROUNDING = 1.5 * 8388608.0 + 128.0;  // f32 between 2^23 and 2^24 are whole: a sum with it has the rounded code, plus 128, in its low bits

struct Planes {
  high: u32,
  low: u32,
}

fn code_planes(x: vec4f, inverse: f32) -> Planes {
  let codes = bitcast<vec4u>(x * inverse + ROUNDING);
  let even = (codes.x & 0xffffu) | (codes.z << 16u);
  let odd = (codes.y & 0xffffu) | (codes.w << 16u);
  let high = ((even >> 8u) & 0x00ff00ffu) | (odd & 0xff00ff00u);
  let low = (even & 0x00ff00ffu) | ((odd & 0x00ff00ffu) << 8u);
  return Planes(high, low ^ 0x80808080u); // less the 128, which the high byte needs for rounding
}
