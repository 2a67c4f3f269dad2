// As finish_pairs_f32, in half floats: for zero points that are powers of two, whose products are exact. Constants:
// GROUPS (of a row of the matrix), GROUP (columns of each), SOURCE_GROUP (columns of a stored group).
@group(0) @binding(6) var<storage, read_write> pairs: array<u32>;    // [N, GROUPS]: scale in the low half, bias in the high half

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= GROUPS) {
    return;
  }
  let row = slab.source_row + id.y;
  let group = id.x * GROUP / SOURCE_GROUP;
  let scale = scale_of(row, group);
  pairs[target_row(id.y) * GROUPS + id.x] = pack2x16float(vec2f(scale, -zero_of(row, group) * scale));
}
