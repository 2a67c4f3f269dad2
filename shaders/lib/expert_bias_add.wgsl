@group(0) @binding(3) var<storage, read> biases: array<f32>;         // [experts, EXPERT_ROWS]

fn expert_bias_pair(expert: u32, row: u32) -> vec2f {
  let first = expert * EXPERT_ROWS + row;
  return vec2f(biases[first], biases[min(first + 1u, arrayLength(&biases) - 1u)]);
}
