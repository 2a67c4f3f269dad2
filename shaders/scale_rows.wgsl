// Multiply every row by a factor of its own, in place. Parts: step, factor_*. Constants: STRIDE, whole rows with their
// padding.
@group(0) @binding(0) var<storage, read_write> values: array<f32>;   // [M, STRIDE], in any order

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  let factor = row_factor(m);
  for (var i = thread; i < STRIDE; i += 64u) {
    values[m * STRIDE + i] *= factor;
  }
}
