// Unsigned 4-bit codes, 8 less, as half floats, with the scale and bias that suit them. Parts: scales_*. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 32]; word j, byte b: element 8j + b low, 8j + 4 + b high

// Four codes, two in each word sixteen bits apart, read under the exponent of 1024, which makes them 1024 more than they are.
fn four_halves(a: u32, b: u32) -> vec4<f16> {
  let raised = vec4f(unpack2x16float((a & 0x000f000fu) | 0x64006400u), unpack2x16float((b & 0x000f000fu) | 0x64006400u));
  return vec4<f16>(raised - vec4f(1032.0));
}

fn load_halves(row: u32, block: u32) -> HalfBlock {
  let words = codes[row * (K / 32u) + block];
  return HalfBlock(
    four_halves(words.x, words.x >> 8u), four_halves(words.x >> 4u, words.x >> 12u), four_halves(words.y, words.y >> 8u), four_halves(words.y >> 4u, words.y >> 12u),
    four_halves(words.z, words.z >> 8u), four_halves(words.z >> 4u, words.z >> 12u), four_halves(words.w, words.w >> 8u), four_halves(words.w >> 4u, words.w >> 12u),
  );
}

fn half_scale(row: u32, block: u32) -> vec2f {
  let affine = scale_and_bias(row, block);
  return vec2f(affine.x, affine.y + 8.0 * affine.x);
}
