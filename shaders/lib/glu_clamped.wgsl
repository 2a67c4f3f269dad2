// The gated unit of gpt-oss: SiLU with a slope of 1.702, both sides bounded, and a linear side that passes one at zero.
fn gated(gate: f32, up: f32) -> f32 {
  let bounded = min(gate, 7.0);
  return (clamp(up, -7.0, 7.0) + 1.0) * bounded / (1.0 + exp(-1.702 * bounded));
}
