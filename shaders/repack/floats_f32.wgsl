// Stored scales, as f32.
@group(0) @binding(0) var<storage, read> stored: array<f32>;         // [scales]

fn stored_at(i: u32) -> f32 {
  return stored[i];
}
