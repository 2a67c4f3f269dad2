// Gate rows are even and up rows odd, so one owner holds both. Parts: glu_*. Constants: OUTPUT_STRIDE.
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped

// Take the results of `row` and `row + 1`: gate and up of hidden unit row / 2.
fn emit(m: u32, row: u32, value: vec2f) {
  let pair = value + bias_pair(row);
  outputs[m * OUTPUT_STRIDE + striped_element(row / 2u, OUTPUT_STRIDE)] = gated(pair.x, pair.y);
}
