// What units that multiply bytes take of numbers: codes of 16 bits, thirty-two high bytes before thirty-two low ones. Parts: block, code_planes.
const PACKED_PEAK = PLANES_PEAK; // the largest of a row of inputs

fn packed_block(x: Block, inverse: f32) -> array<vec4u, 4> {
  let a = code_planes(x[0], inverse);
  let b = code_planes(x[1], inverse);
  let c = code_planes(x[2], inverse);
  let d = code_planes(x[3], inverse);
  let e = code_planes(x[4], inverse);
  let f = code_planes(x[5], inverse);
  let g = code_planes(x[6], inverse);
  let h = code_planes(x[7], inverse);
  return array(vec4u(a.high, b.high, c.high, d.high), vec4u(e.high, f.high, g.high, h.high), vec4u(a.low, b.low, c.low, d.low), vec4u(e.low, f.low, g.low, h.low));
}
