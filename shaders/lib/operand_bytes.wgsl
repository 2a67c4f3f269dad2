// A block of inputs as signed codes of 16 bits with one scale, 256 times a high byte plus a low one, both signed: the
// product of integer codes takes four of them in one instruction. Parts: block, peak, packed, packed_q*, weight_affine.
struct Operand {
  high: Packed,
  low: Packed,
  scale: f32,
  sum: f32,
}

const PEAK_CODE = 127.0 * 256.0;

fn operand(x: Block) -> Operand {
  let peak = block_peak(x);
  let inverse = select(0.0, PEAK_CODE / peak, peak > 1e-30);
  let a = input_codes(x[0], inverse);
  let b = input_codes(x[1], inverse);
  let c = input_codes(x[2], inverse);
  let d = input_codes(x[3], inverse);
  let e = input_codes(x[4], inverse);
  let f = input_codes(x[5], inverse);
  let g = input_codes(x[6], inverse);
  let h = input_codes(x[7], inverse);
  let sums = ((a + b) + (c + d)) + ((e + f) + (g + h));
  let scale = peak / PEAK_CODE;
  return Operand(
    Packed(vec4u(high_bytes(a), high_bytes(b), high_bytes(c), high_bytes(d)), vec4u(high_bytes(e), high_bytes(f), high_bytes(g), high_bytes(h))),
    Packed(vec4u(pack4xI8(a), pack4xI8(b), pack4xI8(c), pack4xI8(d)), vec4u(pack4xI8(e), pack4xI8(f), pack4xI8(g), pack4xI8(h))),
    scale, scale * f32(sums.x + sums.y + sums.z + sums.w),
  );
}

fn input_codes(x: vec4f, inverse: f32) -> vec4i {
  return vec4i(round(x * inverse));
}

fn high_bytes(codes: vec4i) -> u32 {
  return pack4xI8((codes + vec4i(128)) >> vec4u(8u)); // the low byte is signed
}

fn dot_operand(weights: Weights, x: Operand) -> f32 {
  let codes = packed_codes(weights.codes);
  let affine = packed_scale(weights.pair);
  let products = (packed_dot(codes, x.high) << 8u) + packed_dot(codes, x.low);
  return affine.x * x.scale * f32(products) + affine.y * x.sum;
}
