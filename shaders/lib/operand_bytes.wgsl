// A block of inputs as codes of 16 bits in planes of bytes, with one scale: the product of integer codes takes four of
// them in one instruction. Parts: block, peak, code_planes, block_planes, packed, packed_q*, weight_affine.
struct Operand {
  high: Packed,
  low: Packed,
  scale: f32,
  sum: f32,
}

fn operand(x: Block) -> Operand {
  const ONES = Packed(vec4u(0x01010101u), vec4u(0x01010101u));
  let peak = block_peak(x);
  let inverse = select(0.0, PLANES_PEAK / peak, peak > 1e-30);
  let codes = packed_block(x, inverse);
  let high = Packed(codes[0], codes[1]);
  let low = Packed(codes[2], codes[3]);
  let scale = peak / PLANES_PEAK;
  return Operand(high, low, scale, scale * f32((packed_dot(ONES, high) << 8u) + packed_dot(ONES, low)));
}

fn dot_operand(weights: Weights, x: Operand) -> f32 {
  let codes = packed_codes(weights.codes);
  let affine = packed_scale(weights.pair);
  let products = (packed_dot(codes, x.high) << 8u) + packed_dot(codes, x.low);
  return affine.x * x.scale * f32(products) + affine.y * x.sum;
}
