// IEEE half floats, two to a word, read without shader-f16. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4u>;        // [N, K / 8]; word j: elements 2j (low half) and 2j + 1

fn half_quad(low: u32, high: u32) -> vec4f {
  return vec4f(unpack2x16float(low), unpack2x16float(high));
}

fn load_weights(row: u32, block: u32, w: ptr<function, Block>) {
  for (var i = 0u; i < 4u; i++) {
    let words = codes[row * (K / 8u) + 4u * block + i];
    (*w)[2u * i] = half_quad(words.x, words.y);
    (*w)[2u * i + 1u] = half_quad(words.z, words.w);
  }
}

fn dot_weights(row: u32, block: u32, x: ptr<function, Block>, x_sum: f32) -> f32 {
  var w: Block;
  load_weights(row, block, &w);
  return block_dot(&w, x);
}
