// The scale of a row's group, wherever it is stored. Constants: SCALE_BLOCK_ROWS (rows that share one),
// SCALE_ROW_STEP, SCALE_GROUP_STEP, DIVISOR.
fn scale_of(row: u32, group: u32) -> f32 {
  return stored_at((row / SCALE_BLOCK_ROWS) * SCALE_ROW_STEP + group * SCALE_GROUP_STEP) / f32(DIVISOR) * global_factor();
}
