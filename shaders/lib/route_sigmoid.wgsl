// Experts by the sigmoid of their logits, and a learned bias that only the choice sees (Wang et al., "Auxiliary-Loss-Free
// Load Balancing").
@group(0) @binding(2) var<storage, read> expert_bias: array<f32>;    // [EXPERTS]

fn expert_factor(expert: u32) -> f32 {
  return 1.0;
}

fn selection_score(m: u32, expert: u32) -> f32 {
  return expert_weight(m, expert) + expert_bias[expert];
}

fn expert_weight(m: u32, expert: u32) -> f32 {
  return 1.0 / (1.0 + exp(-logits[m * INPUT_STRIDE + expert]));
}
