// Unsigned 4-bit codes as half floats. Parts: codes_q4, operand_halves.

fn code_halves(words: Codes) -> Halves {
  return Halves(
    half_codes(words.x), half_codes(words.x >> 4u), half_codes(words.y), half_codes(words.y >> 4u),
    half_codes(words.z), half_codes(words.z >> 4u), half_codes(words.w), half_codes(words.w >> 4u),
  );
}
