// Codes to the runtime's 4-bit layout: byte b of a word holds element b low and element b + 4 high. Constants:
// TARGET_WORDS (of a row, padded).
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= 4u * slab.blocks) {
    return;
  }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let low = code_at(slab.source_row + id.y, 8u * id.x + b);
    let high = code_at(slab.source_row + id.y, 8u * id.x + 4u + b);
    word |= (low | (high << 4u)) << (8u * b);
  }
  target_words[target_row(id.y) * TARGET_WORDS + 4u * slab.first_block + id.x] = word;
}
