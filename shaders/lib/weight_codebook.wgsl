// Codes of 4 bits that stand for the sixteen values of a codebook: w = scale * CODEBOOK[code]. Constants: K.
@group(0) @binding(8) var<storage, read> codes: array<vec4u>;        // [N, K / 32]; word j, byte b: element 8j + b low, 8j + 4 + b high

fn value_quad(word: u32) -> vec4f {
  return vec4f(CODEBOOK[word & 15u], CODEBOOK[(word >> 8u) & 15u], CODEBOOK[(word >> 16u) & 15u], CODEBOOK[(word >> 24u) & 15u]);
}

fn load_weights(row: u32, block: u32) -> Block {
  let words = codes[row * (K / 32u) + block];
  let scale = half_scales(row, block);
  return Block(
    scale.x * value_quad(words.x), scale.x * value_quad(words.x >> 4u), scale.x * value_quad(words.y), scale.x * value_quad(words.y >> 4u),
    scale.y * value_quad(words.z), scale.y * value_quad(words.z >> 4u), scale.y * value_quad(words.w), scale.y * value_quad(words.w >> 4u),
  );
}
