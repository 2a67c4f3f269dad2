// A gated unit: f(gate) * up (Shazeer, "GLU Variants Improve Transformer"). Parts: activation_*. Constants: GATE_SCALE.
fn gated(gate: f32, up: f32) -> f32 {
  return activated(GATE_SCALE * gate) * up;
}
