// Unsigned 8-bit codes. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 16]; word j, byte b: element 4j + b

fn code_quad(word: u32) -> vec4f {
  return vec4f(vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(255u));
}

fn load_codes(row: u32, block: u32) -> Block {
  let low = codes[row * (K / 16u) + 2u * block];
  let high = codes[row * (K / 16u) + 2u * block + 1u];
  return Block(
    code_quad(low.x), code_quad(low.y), code_quad(low.z), code_quad(low.w),
    code_quad(high.x), code_quad(high.y), code_quad(high.z), code_quad(high.w),
  );
}
