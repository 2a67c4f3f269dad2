// Scales (HALF = 0) or biases (HALF = 1) in f32 into their half of the runtime's pairs. Constants: SOURCE_WORDS (of a
// row), HALF.
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, SOURCE_WORDS]
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, SOURCE_WORDS, 2]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SOURCE_WORDS) {
    let value = source[(slab.source_row + id.y) * SOURCE_WORDS + id.x];
    target_words[2u * (target_row(id.y) * SOURCE_WORDS + id.x) + HALF] = value;
  }
}
