// Unsigned 4-bit codes. Constants: K.
@group(0) @binding(8) var<storage, read> codes: array<vec4u>;        // [N, K / 32]; word j, byte b: element 8j + b low, 8j + 4 + b high
alias Codes = vec4u;

const LARGEST_CODE = 15.0;

fn load_codes(row: u32, block: u32) -> Codes {
  return codes[row * (K / 32u) + block];
}

fn code_quad(word: u32) -> vec4f {
  return vec4f(vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(15u));
}

fn code_block(words: Codes) -> Block {
  return Block(
    code_quad(words.x), code_quad(words.x >> 4u), code_quad(words.y), code_quad(words.y >> 4u),
    code_quad(words.z), code_quad(words.z >> 4u), code_quad(words.w), code_quad(words.w >> 4u),
  );
}
