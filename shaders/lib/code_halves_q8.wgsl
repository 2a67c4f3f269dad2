// Unsigned 8-bit codes as half floats. Parts: codes_q8, operand_halves.

fn code_halves(words: Codes) -> Halves {
  return Halves(
    half_codes(words.low.x), half_codes(words.low.y), half_codes(words.low.z), half_codes(words.low.w),
    half_codes(words.high.x), half_codes(words.high.y), half_codes(words.high.z), half_codes(words.high.w),
  );
}
