// The factor of an RMS-normalised row, by its sum of squares. Constants: WIDTH (K before padding), EPSILON.
fn input_scale(sum_of_squares: f32) -> f32 {
  return inverseSqrt(sum_of_squares / f32(WIDTH) + EPSILON);
}
