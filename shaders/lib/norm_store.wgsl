// Normalise rows of the residual stream into another buffer. Parts: block. Constants: INPUT_STRIDE, OUTPUT_STRIDE.
@group(0) @binding(0) var<storage, read> inputs: array<f32>;         // [M, INPUT_STRIDE], striped
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped

// Rows of the stream, and the gains that meet them, lie striped.
fn striped_element(element: u32) -> u32 {
  return 4u * striped(element / 4u, OUTPUT_STRIDE / 32u) + element % 4u;
}

fn gain_place(element: u32) -> u32 {
  return striped_element(element);
}

fn source(m: u32, element: u32) -> f32 {
  return inputs[m * INPUT_STRIDE + striped_element(element)];
}

fn place(m: u32, element: u32, value: f32) {
  outputs[m * OUTPUT_STRIDE + striped_element(element)] = value;
}
