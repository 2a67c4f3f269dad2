// Unsigned 4-bit codes as half floats, without a conversion: 0x6400 is 1024, whose last bit counts ones. Parts: codes_q4. Needs f16.
alias Halves = array<vec4h, 8>; // four consecutive numbers each: the first, third, second and fourth

fn code_halves(words: Codes) -> Halves {
  return Halves(
    half_codes(words.x), half_codes(words.x >> 4u), half_codes(words.y), half_codes(words.y >> 4u),
    half_codes(words.z), half_codes(words.z >> 4u), half_codes(words.w), half_codes(words.w >> 4u),
  );
}

fn half_codes(word: u32) -> vec4h {
  return bitcast<vec4h>((vec2u(word, word >> 8u) & vec2u(0x000f000fu)) | vec2u(0x64006400u)) - 1024.0h;
}
