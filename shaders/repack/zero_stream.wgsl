// Zero points of ZERO_BITS bits, one little-endian stream over the rows for each group. Constants: ZERO_BITS,
// ZERO_GROUP_STEP and ZERO_WORD_STEP (words from a group's stream to the next, and from a word of a stream to the
// next), ZERO_WORD_ADD (added to every word: GPTQ's first version took one off every zero point, borrows included),
// ZERO_ADD (added to every zero point, where they straddle words).
@group(0) @binding(5) var<storage, read> zeros: array<u32>;          // [groups, words], or [words, groups]

fn zero_of(row: u32, group: u32) -> f32 {
  let bit = row * ZERO_BITS;
  let word = group * ZERO_GROUP_STEP + (bit / 32u) * ZERO_WORD_STEP;
  let shift = bit % 32u;
  var zero = (zeros[word] + ZERO_WORD_ADD) >> shift;
  if (shift + ZERO_BITS > 32u) {
    zero |= zeros[word + ZERO_WORD_STEP] << (32u - shift);
  }
  return f32(((zero & ((1u << ZERO_BITS) - 1u)) + ZERO_ADD) & ((2u << ZERO_BITS) - 1u));
}
