// Unsigned 8-bit codes, each group with a scale and a bias: w = scale * code + bias. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 16]; word j, byte b: element 4j + b

fn code_quad(word: u32) -> vec4f {
  return vec4f(vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(255u));
}

fn load_weights(row: u32, block: u32, w: ptr<function, Block>) {
  let affine = scale_and_bias(row, block);
  for (var half = 0u; half < 2u; half++) {
    let words = codes[row * (K / 16u) + 2u * block + half];
    for (var j = 0u; j < 4u; j++) {
      (*w)[4u * half + j] = affine.x * code_quad(words[j]) + affine.y;
    }
  }
}

// The scale is applied once for 32 products, and the bias through the inputs' sum.
fn dot_weights(row: u32, block: u32, x: ptr<function, Block>, x_sum: f32) -> f32 {
  var sum = vec4f();
  for (var half = 0u; half < 2u; half++) {
    let words = codes[row * (K / 16u) + 2u * block + half];
    for (var j = 0u; j < 4u; j++) {
      sum += code_quad(words[j]) * (*x)[4u * half + j];
    }
  }
  let affine = scale_and_bias(row, block);
  return affine.x * (sum.x + sum.y + sum.z + sum.w) + affine.y * x_sum;
}
