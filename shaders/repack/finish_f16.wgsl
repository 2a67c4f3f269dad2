// Codes that pack_f16 stored become weights, in place: w = scale * (code - zero). Constants: COLUMNS, TARGET_WORDS (of
// a row, padded).
@group(0) @binding(6) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

fn weight(row: u32, column: u32, code: f32) -> f32 {
  let group = group_of(column);
  return scale_of(row, group) * (code - zero_of(row, group));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (2u * id.x >= COLUMNS) {
    return;
  }
  let row = slab.source_row + id.y;
  let place = target_row(id.y) * TARGET_WORDS + id.x;
  let codes = unpack2x16float(target_words[place]);
  target_words[place] = pack2x16float(vec2f(weight(row, 2u * id.x, codes.x), weight(row, 2u * id.x + 1u, codes.y)));
}
