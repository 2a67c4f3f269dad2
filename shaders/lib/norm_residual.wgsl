// Normalise a branch's result and add it to the residual stream, or to several streams alike. Parts: block. Constants:
// INPUT_STRIDE, INPUT_IS_STRIPED, OUTPUT_STRIDE, RESIDUAL_SCALE, STREAMS.
@group(0) @binding(0) var<storage, read> inputs: array<f32>;         // [M, INPUT_STRIDE], striped or not
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, STREAMS, OUTPUT_STRIDE], striped

// The gains lie as the rows of the stream do.
fn gain_place(element: u32) -> u32 {
  return striped_element(element, OUTPUT_STRIDE);
}

fn source(m: u32, element: u32) -> f32 {
  return inputs[m * INPUT_STRIDE + select(element, striped_element(element, OUTPUT_STRIDE), INPUT_IS_STRIPED)];
}

fn place(m: u32, element: u32, value: f32) {
  for (var stream = 0u; stream < STREAMS; stream++) {
    outputs[(m * STREAMS + stream) * OUTPUT_STRIDE + striped_element(element, OUTPUT_STRIDE)] += RESIDUAL_SCALE * value;
  }
}
