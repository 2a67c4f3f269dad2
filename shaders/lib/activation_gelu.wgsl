// GELU (Hendrycks and Gimpel), with the error function of Abramowitz and Stegun 7.1.26, exact to 1.5e-7.
fn activated(x: f32) -> f32 {
  let z = abs(x) * 0.70710678;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exp(-z * z);
  return 0.5 * x * select(tail, 2.0 - tail, x > 0.0);
}
