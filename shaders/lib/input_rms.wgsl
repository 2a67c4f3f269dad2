// RMS-normalised inputs, x * gain / sqrt(mean(x^2) + eps), with the division deferred: a product with a matrix commutes
// with a factor per row, so the kernel sums the squares beside the product and scales its result once (Zhang and
// Sennrich, "Root Mean Square Layer Normalization"). Constants: K, WIDTH (K before padding), EPSILON.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, K / 4], zero beyond WIDTH
@group(0) @binding(1) var<storage, read> gains: array<vec4f>;        // [K / 4]

// Inputs times their gains, and the sum of the inputs' own squares.
fn load_inputs(m: u32, block: u32) -> Inputs {
  let first = m * (K / 4u) + 8u * block;
  let raw = Block(
    inputs[first], inputs[first + 1u], inputs[first + 2u], inputs[first + 3u],
    inputs[first + 4u], inputs[first + 5u], inputs[first + 6u], inputs[first + 7u],
  );
  let g = 8u * block;
  let x = Block(
    raw[0] * gains[g], raw[1] * gains[g + 1u], raw[2] * gains[g + 2u], raw[3] * gains[g + 3u],
    raw[4] * gains[g + 4u], raw[5] * gains[g + 5u], raw[6] * gains[g + 6u], raw[7] * gains[g + 7u],
  );
  return Inputs(x, block_dot(raw, raw));
}

fn input_scale(sum_of_squares: f32) -> f32 {
  return inverseSqrt(sum_of_squares / f32(WIDTH) + EPSILON);
}
