// Scales (HALF = 0) or biases (HALF = 1) of 16 bits into their half of the runtime's pairs. Constants: SOURCE_HALVES
// (of a row), HALF.
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, SOURCE_HALVES] of 16 bits
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, SOURCE_HALVES]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SOURCE_HALVES) {
    let i = (slab.source_row + id.y) * SOURCE_HALVES + id.x;
    let value = (source[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
    let place = target_row(id.y) * SOURCE_HALVES + id.x;
    target_words[place] = (target_words[place] & (0xffff0000u >> (16u * HALF))) | (value << (16u * HALF));
  }
}
