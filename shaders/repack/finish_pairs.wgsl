// Scales and zero points to the runtime's pairs of scale and bias, w = scale * code + bias. Pairs of 16 bits are for zero
// points that are powers of two, whose products are exact. Parts: slab, scale_of, bias_*, store_pair_*. Constants: GROUPS
// (of a row of the matrix), GROUP (columns of each), SOURCE_GROUP (columns of a stored group), PAIR_WORDS (1 or 2).
@group(0) @binding(6) var<storage, read_write> pairs: array<u32>;    // [N, GROUPS, PAIR_WORDS]: scale, bias

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= GROUPS) {
    return;
  }
  let row = slab.source_row + id.y;
  let group = id.x * GROUP / SOURCE_GROUP;
  let scale = scale_of(row, group);
  store_pair((target_row(id.y) * GROUPS + id.x) * PAIR_WORDS, scale, bias_of(row, group, scale));
}
