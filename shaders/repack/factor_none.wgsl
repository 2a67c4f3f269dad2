// Scales that are used as they are stored.
fn global_factor() -> f32 {
  return 1.0;
}
