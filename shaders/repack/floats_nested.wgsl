// Scales that bitsandbytes quantised once more: a byte that indexes a map, times a scale of 256 of them, plus an
// offset for all.
@group(0) @binding(0) var<storage, read> stored: array<u32>;         // [scales] of 8 bits
@group(0) @binding(1) var<storage, read> nested_map: array<f32>;     // [256]
@group(0) @binding(2) var<storage, read> nested_scales: array<f32>;  // [scales / NESTED_BLOCK]
@group(0) @binding(3) var<storage, read> nested_offset: array<f32>;  // [1]

fn stored_at(i: u32) -> f32 {
  let code = (stored[i / 4u] >> (8u * (i % 4u))) & 255u;
  return nested_map[code] * nested_scales[i / NESTED_BLOCK] + nested_offset[0];
}
