// A block of inputs as codes of 16 bits in planes of bytes, with one scale: the product of integer codes takes four of
// them in one instruction. Parts: block, peak, code_planes, packed, packed_q*, weight_affine.
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
  let a = code_planes(x[0], inverse);
  let b = code_planes(x[1], inverse);
  let c = code_planes(x[2], inverse);
  let d = code_planes(x[3], inverse);
  let e = code_planes(x[4], inverse);
  let f = code_planes(x[5], inverse);
  let g = code_planes(x[6], inverse);
  let h = code_planes(x[7], inverse);
  let high = Packed(vec4u(a.high, b.high, c.high, d.high), vec4u(e.high, f.high, g.high, h.high));
  let low = Packed(vec4u(a.low, b.low, c.low, d.low), vec4u(e.low, f.low, g.low, h.low));
  let scale = peak / PLANES_PEAK;
  return Operand(high, low, scale, scale * f32((packed_dot(ONES, high) << 8u) + packed_dot(ONES, low)));
}

fn dot_operand(weights: Weights, x: Operand) -> f32 {
  let codes = packed_codes(weights.codes);
  let affine = packed_scale(weights.pair);
  let products = (packed_dot(codes, x.high) << 8u) + packed_dot(codes, x.low);
  return affine.x * x.scale * f32(products) + affine.y * x.sum;
}
