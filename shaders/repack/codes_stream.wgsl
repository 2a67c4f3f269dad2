// Codes of BITS bits as one little-endian stream, along a row of words or down a column of them. Constants: BITS,
// ROW_STEP and WORD_STEP (words from a row to the next, and from a word of a stream to the next), SWAP (1 where the
// first of two codes has the higher bits), FLIP (a mask that makes signed codes unsigned).
@group(0) @binding(0) var<storage, read> source: array<u32>;         // [rows, words], or [words, rows], of the slab

fn code_at(row: u32, column: u32) -> u32 {
  let bit = (column ^ SWAP) * BITS;
  let word = row * ROW_STEP + (bit / 32u) * WORD_STEP;
  let shift = bit % 32u;
  var code = source[word] >> shift;
  if (shift + BITS > 32u) {
    code |= source[word + WORD_STEP] << (32u - shift);
  }
  return (code & ((1u << BITS) - 1u)) ^ FLIP;
}
