// AWQ's 4-bit codes, column by column, eight rows to a word in its own order. Constants: ROW_WORDS (words of a column).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [columns of the slab, ROW_WORDS]

fn code_at(row: u32, column: u32) -> u32 {
  let nibble = (0x73625140u >> (4u * (row % 8u))) & 7u;
  return (source[column * ROW_WORDS + row / 8u] >> (4u * nibble)) & 15u;
}
