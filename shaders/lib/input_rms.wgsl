// RMS-normalised inputs, x * gain / sqrt(mean(x^2) + eps), with the division deferred: a product with a matrix commutes
// with a factor per row, so the kernel sums the squares beside the product and scales its result once (Zhang and
// Sennrich, "Root Mean Square Layer Normalization"). Parts: scale_rms. Constants: K.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, K / 4], striped, zero beyond WIDTH
@group(0) @binding(1) var<storage, read> gains: array<vec4f>;        // [K / 4], striped

// Inputs times their gains, and the sum of the inputs' own squares.
fn load_inputs(m: u32, block: u32) -> Inputs {
  const BLOCKS = K / 32u;
  let first = m * (K / 4u) + block;
  let raw = Block(
    inputs[first], inputs[first + BLOCKS], inputs[first + 2u * BLOCKS], inputs[first + 3u * BLOCKS],
    inputs[first + 4u * BLOCKS], inputs[first + 5u * BLOCKS], inputs[first + 6u * BLOCKS], inputs[first + 7u * BLOCKS],
  );
  let x = Block(
    raw[0] * gains[block], raw[1] * gains[block + BLOCKS], raw[2] * gains[block + 2u * BLOCKS], raw[3] * gains[block + 3u * BLOCKS],
    raw[4] * gains[block + 4u * BLOCKS], raw[5] * gains[block + 5u * BLOCKS], raw[6] * gains[block + 6u * BLOCKS], raw[7] * gains[block + 7u * BLOCKS],
  );
  return Inputs(x, block_dot(raw, raw));
}
