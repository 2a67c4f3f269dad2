// Normalise a stretch of every row where it lies. Constants: INPUT_STRIDE, INPUT_START.
@group(0) @binding(0) var<storage, read_write> values: array<f32>;   // [M, INPUT_STRIDE]

fn gain_place(element: u32) -> u32 {
  return element;
}

fn source(m: u32, element: u32) -> f32 {
  return values[m * INPUT_STRIDE + INPUT_START + element];
}

fn place(m: u32, element: u32, value: f32) {
  values[m * INPUT_STRIDE + INPUT_START + element] = value;
}
