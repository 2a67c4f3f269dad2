// The sigmoid of one of a row's logits. Constants: LOGIT_STRIDE, LOGIT.
@group(0) @binding(1) var<storage, read> logits: array<f32>;         // [M, LOGIT_STRIDE]

fn row_factor(m: u32) -> f32 {
  return 1.0 / (1.0 + exp(-logits[m * LOGIT_STRIDE + LOGIT]));
}
