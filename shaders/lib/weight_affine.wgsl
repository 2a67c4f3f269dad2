// Integer codes, each group with a scale and a bias: w = scale * code + bias. Parts: block, codes_*, scales_*.
fn load_weights(row: u32, block: u32) -> Block {
  let affine = scale_and_bias(row, block);
  return block_scale(load_codes(row, block), affine.x, affine.y);
}

// The scale is applied once for 32 products, and the bias through the inputs' sum.
fn dot_weights(row: u32, block: u32, x: Block, x_sum: f32) -> f32 {
  let affine = scale_and_bias(row, block);
  return affine.x * block_dot(load_codes(row, block), x) + affine.y * x_sum;
}
