// A stream joins the sum of all, and the last makes it their mean. Constants: STREAM (0 is the second of all), STREAMS,
// STRIDE.
@group(0) @binding(1) var<storage, read> first: array<f32>;          // [M, STRIDE], striped: the first stream as it was
@group(0) @binding(2) var<storage, read_write> hidden: array<f32>;   // [M, STRIDE], striped: the sum

fn magnitude_of(i: u32) -> f32 {
  return first[i];
}

fn place(m: u32, element: u32, value: f32) {
  let sum = hidden[m * STRIDE + element] + value;
  hidden[m * STRIDE + element] = select(sum, sum / f32(STREAMS), STREAM + 2u == STREAMS);
}
