// Codes to the runtime's 8-bit layout: byte b of a word holds element b. Constants: TARGET_WORDS (of a row, padded).
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= 8u * slab.blocks) {
    return;
  }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    word |= code_at(slab.source_row + id.y, 4u * id.x + b) << (8u * b);
  }
  target_words[target_row(id.y) * TARGET_WORDS + 8u * slab.first_block + id.x] = word;
}
