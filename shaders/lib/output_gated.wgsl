// Store results after an activation and times a factor of each. Parts: activation_*. Constants: OUTPUT_STRIDE,
// OUTPUT_ROWS, FACTOR_STRIDE.
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped
@group(0) @binding(4) var<storage, read> factors: array<f32>;        // [M, FACTOR_STRIDE], striped
@group(0) @binding(5) var<storage, read> first_factor: array<u32>;   // [1]: the element of the factors that belongs to row 0

fn keep(m: u32, row: u32, value: f32) {
  let factor = factors[m * FACTOR_STRIDE + striped_element(first_factor[0] + row, FACTOR_STRIDE)];
  outputs[m * OUTPUT_STRIDE + striped_element(row, OUTPUT_STRIDE)] = activated(value) * factor;
}

// Take the results of `row` and `row + 1`, where row is even and the second may lie past the end.
fn emit(m: u32, row: u32, value: vec2f) {
  let result = value + bias_pair(row);
  keep(m, row, result.x);
  if (row + 1u < OUTPUT_ROWS) {
    keep(m, row + 1u, result.y);
  }
}
