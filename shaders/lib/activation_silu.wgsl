// SiLU (Elfwing et al., "Sigmoid-Weighted Linear Units").
fn activated(x: f32) -> f32 {
  return x / (1.0 + exp(-x));
}
