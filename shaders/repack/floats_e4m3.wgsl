// Stored scales, as 8-bit floats with four bits of exponent (OCP FP8, E4M3).
@group(0) @binding(0) var<storage, read> stored: array<u32>;         // [scales] of 8 bits

fn stored_at(i: u32) -> f32 {
  let byte = (stored[i / 4u] >> (8u * (i % 4u))) & 255u;
  let size = select(bitcast<f32>(((byte & 127u) << 20u) + 0x3c000000u), f32(byte & 7u) / 512.0, (byte & 0x78u) == 0u);
  return select(size, -size, byte > 127u);
}
