// Coefficients of a row: a small product with the hyperbolic tangents of its router's logits. Constants: STREAMS.
@group(0) @binding(3) var<storage, read> logits: array<f32>;         // [M, STREAMS]
@group(0) @binding(4) var<storage, read> coefficients: array<f32>;   // [coefficients, STREAMS]

fn coefficient(m: u32, index: u32) -> f32 {
  var sum = 0.0;
  for (var stream = 0u; stream < STREAMS; stream++) {
    sum += coefficients[index * STREAMS + stream] * tanh(clamp(logits[m * STREAMS + stream], -15.0, 15.0));
  }
  return sum;
}
