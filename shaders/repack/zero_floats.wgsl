// Zero points between whole numbers. Constants: ZERO_ROW_STEP, ZERO_GROUP_STEP.
@group(0) @binding(5) var<storage, read> zeros: array<f32>;          // [rows, groups]

fn zero_of(row: u32, group: u32) -> f32 {
  return zeros[row * ZERO_ROW_STEP + group * ZERO_GROUP_STEP];
}
