// Unsigned 8-bit codes, 128 less, as half floats, with the scale and bias that suit them. Parts: scales_*. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 16]; word j, byte b: element 4j + b

// Four codes, two in each word sixteen bits apart, read under the exponent of 1024, which makes them 1024 more than they are.
fn four_halves(a: u32, b: u32) -> vec4<f16> {
  let raised = vec4f(unpack2x16float((a & 0x00ff00ffu) | 0x64006400u), unpack2x16float((b & 0x00ff00ffu) | 0x64006400u));
  return vec4<f16>(raised - vec4f(1152.0));
}

fn load_halves(row: u32, block: u32) -> HalfBlock {
  let low = codes[row * (K / 16u) + 2u * block];
  let high = codes[row * (K / 16u) + 2u * block + 1u];
  return HalfBlock(
    four_halves(low.x, low.x >> 8u), four_halves(low.y, low.y >> 8u), four_halves(low.z, low.z >> 8u), four_halves(low.w, low.w >> 8u),
    four_halves(high.x, high.x >> 8u), four_halves(high.y, high.y >> 8u), four_halves(high.z, high.z >> 8u), four_halves(high.w, high.w >> 8u),
  );
}

fn half_scale(row: u32, block: u32) -> vec2f {
  let affine = scale_and_bias(row, block);
  return vec2f(affine.x, affine.y + 128.0 * affine.x);
}
