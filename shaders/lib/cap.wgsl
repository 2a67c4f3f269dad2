// A bound that values approach and never pass (Bello et al., "Neural Combinatorial Optimization"). Constants: CAP (0
// when off).
fn capped(x: f32) -> f32 {
  if (CAP == 0.0) {
    return x;
  }
  return CAP * tanh(clamp(x / CAP, -15.0, 15.0)); // beyond, tanh is one, and some drivers' is not a number
}
