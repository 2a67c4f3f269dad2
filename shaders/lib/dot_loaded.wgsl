// Products of formats that gain nothing by putting scales off, and are loaded where they are multiplied. Parts: block, weight_*.
struct Weights {
  row: u32,
  block: u32,
}

fn fetch_weights(row: u32, block: u32) -> Weights {
  return Weights(row, block);
}

fn dot_weights(weights: Weights, x: Block, x_sum: f32) -> f32 {
  return block_dot(load_weights(weights.row, weights.block), x);
}
