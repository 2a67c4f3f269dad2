// Codes of BITS bits, a byte for each column of as many rows as it has codes: those in the same bits of all bytes make one
// part of the matrix, a plane. Constants: BITS, ROW_WORDS (words of a row of bytes), HIGH_FIRST (1 where the first plane
// has the highest bits).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows of the slab, ROW_WORDS]

fn code_at(row: u32, column: u32) -> u32 {
  const LAST_PLANE = 8u / BITS - 1u;
  let place = select(slab.plane, LAST_PLANE - slab.plane, HIGH_FIRST == 1u);
  let shift = 8u * (column % 4u) + BITS * place;
  return (source[row * ROW_WORDS + column / 4u] >> shift) & ((1u << BITS) - 1u);
}
