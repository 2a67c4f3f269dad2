// AWQ's 4-bit zero points, eight rows to a word in its own order. Constants: ROW_WORDS (words of a group).
@group(0) @binding(5) var<storage, read> zeros: array<u32>;          // [groups, ROW_WORDS]

fn zero_of(row: u32, group: u32) -> f32 {
  let nibble = (0x73625140u >> (4u * (row % 8u))) & 7u;
  return f32((zeros[group * ROW_WORDS + row / 8u] >> (4u * nibble)) & 15u);
}
