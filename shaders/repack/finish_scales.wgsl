// Scales of a format whose codes stand for signed values, so that no bias is needed. Constants: GROUPS (of a row of
// the matrix), GROUP (columns of each), SOURCE_GROUP (columns of a stored group).
@group(0) @binding(6) var<storage, read_write> scales: array<f32>;   // [N, GROUPS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < GROUPS) {
    scales[target_row(id.y) * GROUPS + id.x] = scale_of(slab.source_row + id.y, id.x * GROUP / SOURCE_GROUP);
  }
}
