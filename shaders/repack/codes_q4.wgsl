// MLX 4-bit codes to the runtime's q4: a word of eight consecutive codes becomes one whose byte b holds code b low and
// code b + 4 high. Constants: SOURCE_WORDS (of a row), TARGET_WORDS (of a row, padded).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, SOURCE_WORDS]
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

// Spread the four nibbles of a half word over the low nibbles of four bytes.
fn spread(nibbles: u32) -> u32 {
  return (nibbles & 15u) | ((nibbles & 0xf0u) << 4u) | ((nibbles & 0xf00u) << 8u) | ((nibbles & 0xf000u) << 12u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SOURCE_WORDS) {
    let word = source[(slab.source_row + id.y) * SOURCE_WORDS + id.x];
    target_words[target_row(id.y) * TARGET_WORDS + id.x] = spread(word & 0xffffu) | (spread(word >> 16u) << 4u);
  }
}
