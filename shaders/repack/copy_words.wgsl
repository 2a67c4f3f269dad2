// Rows of whole words, copied: MLX 8-bit codes are the runtime's q8 already, and so are f32 weights. Constants:
// SOURCE_WORDS (of a row), TARGET_WORDS (of a row, padded).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, SOURCE_WORDS]
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SOURCE_WORDS) {
    target_words[target_row(id.y) * TARGET_WORDS + id.x] = source[(slab.source_row + id.y) * SOURCE_WORDS + id.x];
  }
}
