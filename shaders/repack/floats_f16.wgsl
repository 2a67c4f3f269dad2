// Stored scales, as half floats.
@group(0) @binding(0) var<storage, read> stored: array<u32>;         // [scales] of 16 bits

fn stored_at(i: u32) -> f32 {
  return unpack2x16float(stored[i / 2u] >> (16u * (i % 2u))).x;
}
