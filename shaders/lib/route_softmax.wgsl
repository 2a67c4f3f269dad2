// Experts by the softmax of their logits, and a learned factor that only their weights see.
@group(0) @binding(2) var<storage, read> expert_factors: array<f32>; // [EXPERTS]

fn expert_factor(expert: u32) -> f32 {
  return expert_factors[expert];
}

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
