// Unsigned 4-bit codes as signed bytes, with their scale and bias. Parts: packed, scales_*. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 32]; word j, byte b: element 8j + b low, 8j + 4 + b high

fn load_packed(row: u32, block: u32) -> Packed {
  let words = codes[row * (K / 32u) + block];
  let low = words & vec4u(0x0f0f0f0fu);
  let high = (words >> vec4u(4u)) & vec4u(0x0f0f0f0fu);
  return Packed(vec4u(low.x, high.x, low.y, high.y), vec4u(low.z, high.z, low.w, high.w));
}

fn packed_scale(row: u32, block: u32) -> vec2f {
  return scale_and_bias(row, block);
}
