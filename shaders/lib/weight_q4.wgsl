// Unsigned 4-bit codes, each group with a scale and a bias: w = scale * code + bias. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 32]; word j, byte b: element 8j + b low, 8j + 4 + b high

fn code_quad(word: u32) -> vec4f {
  return vec4f(vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(15u));
}

fn load_weights(row: u32, block: u32, w: ptr<function, Block>) {
  let words = codes[row * (K / 32u) + block];
  let affine = scale_and_bias(row, block);
  for (var j = 0u; j < 4u; j++) {
    (*w)[2u * j] = affine.x * code_quad(words[j]) + affine.y;
    (*w)[2u * j + 1u] = affine.x * code_quad(words[j] >> 4u) + affine.y;
  }
}

// The scale is applied once for 32 products, and the bias through the inputs' sum.
fn dot_weights(row: u32, block: u32, x: ptr<function, Block>, x_sum: f32) -> f32 {
  let words = codes[row * (K / 32u) + block];
  var sum = vec4f();
  for (var j = 0u; j < 4u; j++) {
    sum += code_quad(words[j]) * (*x)[2u * j] + code_quad(words[j] >> 4u) * (*x)[2u * j + 1u];
  }
  let affine = scale_and_bias(row, block);
  return affine.x * (sum.x + sum.y + sum.z + sum.w) + affine.y * x_sum;
}
