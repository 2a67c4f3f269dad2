// Unsigned 8-bit codes as signed bytes, 128 less, with the scale and bias that suit them. Parts: packed, scales_*.
// Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 16]; word j, byte b: element 4j + b

fn load_packed(row: u32, block: u32) -> Packed {
  let first = row * (K / 16u) + 2u * block;
  return Packed(codes[first] ^ vec4u(0x80808080u), codes[first + 1u] ^ vec4u(0x80808080u));
}

fn packed_scale(row: u32, block: u32) -> vec2f {
  let affine = scale_and_bias(row, block);
  return vec2f(affine.x, affine.y + 128.0 * affine.x);
}
