// A stream begins. Constants: STREAM (0 is the second of all), STREAMS, STRIDE.
@group(0) @binding(1) var<storage, read> hidden: array<f32>;         // [M, STRIDE], striped: the first stream
@group(0) @binding(2) var<storage, read_write> others: array<f32>;   // [M, STREAMS - 1, STRIDE], striped

fn magnitude_of(i: u32) -> f32 {
  return hidden[i];
}

fn place(m: u32, element: u32, value: f32) {
  others[(m * (STREAMS - 1u) + STREAM) * STRIDE + element] = value;
}
