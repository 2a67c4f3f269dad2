// Rows of 16-bit floats, copied; an odd row length leaves every other row half a word off. Constants: SOURCE_HALVES
// (of a row), TARGET_WORDS (of a row, padded).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, SOURCE_HALVES] of 16 bits
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

fn half(row: u32, column: u32) -> u32 {
  if (column >= SOURCE_HALVES) {
    return 0u;
  }
  let i = row * SOURCE_HALVES + column;
  return (source[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (2u * id.x < SOURCE_HALVES) {
    let row = slab.source_row + id.y;
    target_words[target_row(id.y) * TARGET_WORDS + id.x] = half(row, 2u * id.x) | (half(row, 2u * id.x + 1u) << 16u);
  }
}
