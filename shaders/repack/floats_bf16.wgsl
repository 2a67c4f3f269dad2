// Stored scales, as bfloat16.
@group(0) @binding(0) var<storage, read> stored: array<u32>;         // [scales] of 16 bits

fn stored_at(i: u32) -> f32 {
  return bitcast<f32>((stored[i / 2u] >> (16u * (i % 2u))) << 16u);
}
