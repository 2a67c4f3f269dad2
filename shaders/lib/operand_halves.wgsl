// A block of inputs as half floats between -1 and 1, with one scale: two products in one instruction, added up in halves over
// two of them and in floats from there on. Inputs and codes are in pairs of every other one, as masks cut codes out of
// words. Parts: block, peak, code_halves_*, weight_affine. Needs f16.
alias Halves = array<vec4h, 8>; // four consecutive numbers each: the first, third, second and fourth

struct Operand {
  x: Halves,
  scale: f32,
  sum: f32,
}

fn operand(x: Block) -> Operand {
  let peak = block_peak(x);
  let inverse = select(0.0, 1.0 / peak, peak > 1e-30);
  let halves = Halves(
    half_quad(x[0], inverse), half_quad(x[1], inverse), half_quad(x[2], inverse), half_quad(x[3], inverse),
    half_quad(x[4], inverse), half_quad(x[5], inverse), half_quad(x[6], inverse), half_quad(x[7], inverse),
  );
  let sums = vec4f(halves[0]) + vec4f(halves[1]) + vec4f(halves[2]) + vec4f(halves[3]) + vec4f(halves[4]) + vec4f(halves[5]) + vec4f(halves[6]) + vec4f(halves[7]);
  return Operand(halves, peak, peak * quad_sum(sums));
}

fn half_quad(x: vec4f, inverse: f32) -> vec4h {
  return vec4h(x.xzyw * inverse);
}

// Two codes of a word, and two of the word eight bits on, without a conversion: 0x6400 is 1024, whose last bit counts ones.
fn half_codes(word: u32) -> vec4h {
  const MASK = u32(LARGEST_CODE) * 0x00010001u;
  return bitcast<vec4h>((vec2u(word, word >> 8u) & vec2u(MASK)) | vec2u(0x64006400u)) - 1024.0h;
}

fn dot_operand(weights: Weights, x: Operand) -> f32 {
  let codes = code_halves(weights.codes);
  let affine = scale_and_bias(weights.pair);
  let sums = vec4f(codes[0] * x.x[0] + codes[1] * x.x[1]) + vec4f(codes[2] * x.x[2] + codes[3] * x.x[3])
    + vec4f(codes[4] * x.x[4] + codes[5] * x.x[5]) + vec4f(codes[6] * x.x[6] + codes[7] * x.x[7]);
  return affine.x * x.scale * quad_sum(sums) + affine.y * x.sum;
}
