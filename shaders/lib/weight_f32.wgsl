// Plain f32 weights. Constants: K.
@group(1) @binding(0) var<storage, read> codes: array<vec4f>;        // [N, K / 4]

fn load_weights(row: u32, block: u32, w: ptr<function, Block>) {
  for (var i = 0u; i < 8u; i++) {
    (*w)[i] = codes[row * (K / 4u) + 8u * block + i];
  }
}

fn dot_weights(row: u32, block: u32, x: ptr<function, Block>, x_sum: f32) -> f32 {
  var w: Block;
  load_weights(row, block, &w);
  return block_dot(&w, x);
}
