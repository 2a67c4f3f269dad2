// Correct all guessed streams by how far the layer's result is from the guess of the first, each to a degree of its own.
// Parts: block, step, modalities. Constants: STREAMS, STRIDE.
@group(0) @binding(0) var<storage, read_write> hidden: array<f32>;   // [M, STRIDE], striped: the layer's result, then the first stream
@group(0) @binding(1) var<storage, read_write> others: array<f32>;   // [M, STREAMS - 1, STRIDE], striped
@group(0) @binding(2) var<storage, read> guess: array<f32>;          // [M, STRIDE], striped
@group(0) @binding(5) var<storage, read> scales: array<f32>;         // [STRIDE], striped
@group(0) @binding(6) var<storage, read_write> scaled: array<f32>;   // [M, STRIDE], striped: the first stream times scales

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  for (var i = thread; i < STRIDE; i += 64u) {
    let guessed = guess[m * STRIDE + i];
    let surprise = hidden[m * STRIDE + i] - guessed;
    let first = guessed + (1.0 + coefficient(m, 0u)) * surprise;
    hidden[m * STRIDE + i] = first;
    scaled[m * STRIDE + i] = first * scales[i];
    for (var stream = 1u; stream < STREAMS; stream++) {
      others[(m * (STREAMS - 1u) + stream - 1u) * STRIDE + i] += (1.0 + coefficient(m, stream)) * surprise;
    }
  }
}
