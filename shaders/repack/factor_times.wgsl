// Scales that are multiplied by one more for the whole matrix.
@group(0) @binding(4) var<storage, read> factor: array<f32>;         // [1]

fn global_factor() -> f32 {
  return factor[0];
}
