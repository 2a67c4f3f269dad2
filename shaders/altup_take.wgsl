// Copy one of the other streams to where a product reads it, and first of all keep the first as it is. Parts: step.
// Constants: STREAM (0 is the second of all), STREAMS, STRIDE.
@group(0) @binding(0) var<storage, read> others: array<f32>;         // [M, STREAMS - 1, STRIDE]
@group(0) @binding(1) var<storage, read_write> taken: array<f32>;    // [M, STRIDE]
@group(0) @binding(2) var<storage, read> hidden: array<f32>;         // [M, STRIDE]: the first stream
@group(0) @binding(3) var<storage, read_write> first: array<f32>;    // [M, STRIDE]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  for (var i = thread; i < STRIDE; i += 64u) {
    taken[m * STRIDE + i] = others[(m * (STREAMS - 1u) + STREAM) * STRIDE + i];
    if (STREAM == 0u) {
      first[m * STRIDE + i] = hidden[m * STRIDE + i];
    }
  }
}
