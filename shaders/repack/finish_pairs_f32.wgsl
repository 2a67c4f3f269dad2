// Scales and zero points to the runtime's pairs of scale and bias, w = scale * code + bias. Constants: GROUPS (of a
// row of the matrix), GROUP (columns of each), SOURCE_GROUP (columns of a stored group).
@group(0) @binding(6) var<storage, read_write> pairs: array<vec2f>;  // [N, GROUPS]: scale, bias

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= GROUPS) {
    return;
  }
  let row = slab.source_row + id.y;
  let group = id.x * GROUP / SOURCE_GROUP;
  let scale = scale_of(row, group);
  pairs[target_row(id.y) * GROUPS + id.x] = vec2f(scale, -zero_of(row, group) * scale);
}
