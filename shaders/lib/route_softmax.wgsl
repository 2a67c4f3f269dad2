// Experts by the softmax of their logits.
fn selection_score(m: u32, expert: u32) -> f32 {
  return logits[m * INPUT_STRIDE + expert];
}

fn expert_weight(m: u32, expert: u32) -> f32 {
  var sum = 0.0;
  for (var other = 0u; other < EXPERTS; other++) {
    sum += exp(logits[m * INPUT_STRIDE + other] - logits[m * INPUT_STRIDE + chosen[0]]);
  }
  return exp(logits[m * INPUT_STRIDE + expert] - logits[m * INPUT_STRIDE + chosen[0]]) / sum;
}
