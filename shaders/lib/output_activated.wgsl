// Store results after an activation. Parts: activation_*. Constants: OUTPUT_STRIDE, OUTPUT_ROWS.
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped

// Take the results of `row` and `row + 1`, where row is even and the second may lie past the end.
fn emit(m: u32, row: u32, value: vec2f) {
  let result = value + bias_pair(row);
  let place = m * OUTPUT_STRIDE + striped_element(row, OUTPUT_STRIDE);
  outputs[place] = activated(result.x);
  if (row + 1u < OUTPUT_ROWS) {
    outputs[place + 1u] = activated(result.y);
  }
}
