// The bias that a zero point stands for.
fn bias_of(row: u32, group: u32, scale: f32) -> f32 {
  return -zero_of(row, group) * scale;
}
