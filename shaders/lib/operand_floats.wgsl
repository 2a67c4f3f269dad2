// A block of inputs as floats, for weights of any format. Parts: block, weight_*.
struct Operand {
  x: Block,
  sum: f32,
}

fn operand(x: Block) -> Operand {
  return Operand(x, block_sum(x));
}

fn dot_operand(weights: Weights, x: Operand) -> f32 {
  return dot_weights(weights, x.x, x.sum);
}
