// GELU in its tanh form (Hendrycks and Gimpel).
fn activated(x: f32) -> f32 {
  let z = 0.7978845608 * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + tanh(clamp(z, -15.0, 15.0))); // beyond, tanh is one, and some drivers' is not a number
}
