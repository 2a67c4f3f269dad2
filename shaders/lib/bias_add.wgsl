@group(0) @binding(3) var<storage, read> biases: array<f32>;         // [OUTPUT_ROWS], padded to whole pairs

fn bias_pair(row: u32) -> vec2f {
  return vec2f(biases[row], biases[row + 1u]);
}
