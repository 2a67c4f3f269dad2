// xIELU (Huang and Schlag, "Deriving Activation Functions Using Integration"), with slopes learned per layer.
@group(0) @binding(6) var<storage, read> slopes: array<f32>;         // [4]: alpha_p and alpha_n as stored, beta, eps

fn activated(x: f32) -> f32 {
  let beta = slopes[2];
  if (x > 0.0) {
    return softplus(slopes[0]) * x * x + beta * x;
  }
  let small = min(x, slopes[3]);
  // exp(x) - 1 loses its digits near zero, where its series needs few terms.
  let rise = select(exp(small) - 1.0, small * (1.0 + small * (0.5 + small * (0.16666667 + small * 0.041666667))), small > -0.1);
  return (rise - x) * (beta + softplus(slopes[1])) + beta * x;
}
