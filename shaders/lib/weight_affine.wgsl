// Integer codes, each group with a scale and a bias: w = scale * code + bias. Parts: block, codes_*, scales_*.
struct Weights {
  codes: Codes,
  pair: Pair,
}

fn fetch_weights(row: u32, block: u32) -> Weights {
  return Weights(load_codes(row, block), load_pair(row, block));
}

fn load_weights(row: u32, block: u32) -> Block {
  let affine = scale_and_bias(load_pair(row, block));
  return block_scale(code_block(load_codes(row, block)), affine.x, affine.y);
}

// The scale is applied once for 32 products, and the bias through the inputs' sum.
fn dot_weights(weights: Weights, x: Block, x_sum: f32) -> f32 {
  let affine = scale_and_bias(weights.pair);
  return affine.x * block_dot(code_block(weights.codes), x) + affine.y * x_sum;
}
