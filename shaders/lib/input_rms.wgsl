// RMS-normalised inputs, x * gain / sqrt(mean(x^2) + eps), with the division deferred: a product with a matrix commutes
// with a factor per row, so the kernel sums the squares beside the product and scales its result once (Zhang and
// Sennrich, "Root Mean Square Layer Normalization"). Constants: K, WIDTH (K before padding), EPSILON.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, K / 4], zero beyond WIDTH
@group(0) @binding(1) var<storage, read> gains: array<vec4f>;        // [K / 4]

// Load 32 inputs times their gains, and return the sum of the inputs' squares.
fn load_input(m: u32, block: u32, x: ptr<function, Block>) -> f32 {
  var squares = vec4f();
  for (var i = 0u; i < 8u; i++) {
    let raw = inputs[m * (K / 4u) + 8u * block + i];
    squares += raw * raw;
    (*x)[i] = raw * gains[8u * block + i];
  }
  return squares.x + squares.y + squares.z + squares.w;
}

fn input_scale(sum_of_squares: f32) -> f32 {
  return inverseSqrt(sum_of_squares / f32(WIDTH) + EPSILON);
}
