// Signed zero points, a byte each; codes were made unsigned by adding 128. Constants: ZERO_ROW_STEP, ZERO_GROUP_STEP
// (bytes).
@group(0) @binding(5) var<storage, read> zeros: array<u32>;          // [rows, groups] of 8 bits

fn zero_of(row: u32, group: u32) -> f32 {
  let i = row * ZERO_ROW_STEP + group * ZERO_GROUP_STEP;
  return f32(((zeros[i / 4u] >> (8u * (i % 4u))) & 255u) ^ 128u);
}
