// Unsigned 8-bit codes as half floats, without a conversion: 0x6400 is 1024, whose last bit counts ones. Parts: codes_q8. Needs f16.
alias Halves = array<vec4h, 8>; // four consecutive numbers each: the first, third, second and fourth

fn code_halves(words: Codes) -> Halves {
  return Halves(
    half_codes(words.low.x), half_codes(words.low.y), half_codes(words.low.z), half_codes(words.low.w),
    half_codes(words.high.x), half_codes(words.high.y), half_codes(words.high.z), half_codes(words.high.w),
  );
}

fn half_codes(word: u32) -> vec4h {
  return bitcast<vec4h>((vec2u(word, word >> 8u) & vec2u(0x00ff00ffu)) | vec2u(0x64006400u)) - 1024.0h;
}
