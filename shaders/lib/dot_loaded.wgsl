// Products of formats that gain nothing by putting scales off. Parts: block, weight_*.
fn dot_weights(row: u32, block: u32, x: Block, x_sum: f32) -> f32 {
  return block_dot(load_weights(row, block), x);
}
