// Inputs as they are. Constants: K.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, K / 4], striped

fn load_inputs(m: u32, block: u32) -> Inputs {
  const BLOCKS = K / 32u;
  let first = m * (K / 4u) + block;
  return Inputs(Block(
    inputs[first], inputs[first + BLOCKS], inputs[first + 2u * BLOCKS], inputs[first + 3u * BLOCKS],
    inputs[first + 4u * BLOCKS], inputs[first + 5u * BLOCKS], inputs[first + 6u * BLOCKS], inputs[first + 7u * BLOCKS],
  ), 0.0);
}

fn input_scale(sum_of_squares: f32) -> f32 {
  return 1.0;
}
