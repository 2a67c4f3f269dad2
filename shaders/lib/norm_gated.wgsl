// Normalise a mixer's result where it lies, and multiply it by silu of its gates: the norm's result where PRECEDES_GATE, else what is
// normalised. Parts: block. Constants: INPUT_STRIDE, GATE_STRIDE, GATE_START, GATE_SCALE, PRECEDES_GATE.
@group(0) @binding(0) var<storage, read_write> values: array<f32>;   // [M, INPUT_STRIDE], striped
@group(0) @binding(2) var<storage, read> gates: array<f32>;          // [M, GATE_STRIDE]: from GATE_START on those of the result

// The gains lie as the rows do.
fn gain_place(element: u32) -> u32 {
  return striped_element(element, INPUT_STRIDE);
}

fn gate_factor(m: u32, element: u32) -> f32 {
  let gate = GATE_SCALE * gates[m * GATE_STRIDE + GATE_START + element];
  return gate / (1.0 + exp(-gate));
}

fn source(m: u32, element: u32) -> f32 {
  return values[m * INPUT_STRIDE + gain_place(element)] * select(gate_factor(m, element), 1.0, PRECEDES_GATE);
}

fn place(m: u32, element: u32, value: f32) {
  values[m * INPUT_STRIDE + gain_place(element)] = value * select(1.0, gate_factor(m, element), PRECEDES_GATE);
}
