// Squared ReLU (So et al., "Primer").
fn activated(x: f32) -> f32 {
  let positive = max(x, 0.0);
  return positive * positive;
}
