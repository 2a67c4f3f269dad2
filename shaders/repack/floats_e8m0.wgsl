// Stored scales, as the exponent of a power of two (OCP MX, E8M0). The smallest, 2^-127, is a subnormal and becomes 0.
@group(0) @binding(0) var<storage, read> stored: array<u32>;         // [scales] of 8 bits

fn stored_at(i: u32) -> f32 {
  return bitcast<f32>(((stored[i / 4u] >> (8u * (i % 4u))) & 255u) << 23u);
}
