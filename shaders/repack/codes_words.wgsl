// Codes of BITS bits, as many in each word as fit whole; the highest bits of a word are unused. Constants: BITS,
// ROW_STEP (words of a row).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, ROW_STEP]

fn code_at(row: u32, column: u32) -> u32 {
  const PER_WORD = 32u / BITS;
  let word = source[row * ROW_STEP + column / PER_WORD];
  return (word >> (BITS * (column % PER_WORD))) & ((1u << BITS) - 1u);
}
