// Unsigned 8-bit codes. Constants: K.
@group(0) @binding(8) var<storage, read> codes: array<vec4u>;        // [N, K / 16]; word j, byte b: element 4j + b
struct Codes {
  low: vec4u,
  high: vec4u,
}

const LARGEST_CODE = 255.0;

fn load_codes(row: u32, block: u32) -> Codes {
  let first = row * (K / 16u) + 2u * block;
  return Codes(codes[first], codes[first + 1u]);
}

fn code_quad(word: u32) -> vec4f {
  return vec4f(vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(255u));
}

fn code_block(words: Codes) -> Block {
  return Block(
    code_quad(words.low.x), code_quad(words.low.y), code_quad(words.low.z), code_quad(words.low.w),
    code_quad(words.high.x), code_quad(words.high.y), code_quad(words.high.z), code_quad(words.high.w),
  );
}
