// Inputs as they are. Constants: K.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, K / 4]

fn load_inputs(m: u32, block: u32) -> Inputs {
  let first = m * (K / 4u) + 8u * block;
  return Inputs(Block(
    inputs[first], inputs[first + 1u], inputs[first + 2u], inputs[first + 3u],
    inputs[first + 4u], inputs[first + 5u], inputs[first + 6u], inputs[first + 7u],
  ), 0.0);
}

fn input_scale(sum_of_squares: f32) -> f32 {
  return 1.0;
}
