// One factor for all rows, which the checkpoint stores.
@group(0) @binding(1) var<storage, read> factors: array<f32>;        // [1]

fn row_factor(m: u32) -> f32 {
  return factors[0];
}
