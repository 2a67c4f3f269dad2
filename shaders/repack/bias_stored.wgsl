// Biases as they are stored, for codes that were made unsigned by adding ZERO. Constants: ZERO, BIAS_ROW_STEP,
// BIAS_GROUP_STEP.
@group(0) @binding(5) var<storage, read> biases: array<f32>;         // [rows, groups], or [groups, rows]

fn bias_of(row: u32, group: u32, scale: f32) -> f32 {
  return biases[row * BIAS_ROW_STEP + group * BIAS_GROUP_STEP] - f32(ZERO) * scale;
}
