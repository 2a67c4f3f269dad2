// Guess all streams after a layer from those before it, each by a mixture of all whose weights the first stream decides.
// Parts: block, step, modalities. Constants: STREAMS, STRIDE.
@group(0) @binding(0) var<storage, read_write> hidden: array<f32>;   // [M, STRIDE], striped: the first stream
@group(0) @binding(1) var<storage, read_write> others: array<f32>;   // [M, STREAMS - 1, STRIDE], striped
@group(0) @binding(2) var<storage, read_write> guess: array<f32>;    // [M, STRIDE], striped: of the first stream, kept

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  for (var i = thread; i < STRIDE; i += 64u) {
    var before = array<f32, STREAMS>();
    before[0] = hidden[m * STRIDE + i];
    for (var stream = 1u; stream < STREAMS; stream++) {
      before[stream] = others[(m * (STREAMS - 1u) + stream - 1u) * STRIDE + i];
    }
    for (var stream = 0u; stream < STREAMS; stream++) {
      var after = before[stream];
      for (var other = 0u; other < STREAMS; other++) {
        after += coefficient(m, stream * STREAMS + other) * before[other];
      }
      if (stream == 0u) {
        hidden[m * STRIDE + i] = after;
        guess[m * STRIDE + i] = after;
      } else {
        others[(m * (STREAMS - 1u) + stream - 1u) * STRIDE + i] = after;
      }
    }
  }
}
