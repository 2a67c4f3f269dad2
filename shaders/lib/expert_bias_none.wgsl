fn expert_bias_pair(expert: u32, row: u32) -> vec2f {
  return vec2f();
}
