// What units that multiply half floats take of numbers. Parts: block.
const PACKED_PEAK = 1.0; // the largest of a row of inputs

// Eight floats as half floats, two to a word.
fn eight_halves(a: vec4f, b: vec4f) -> vec4u {
  return vec4u(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
}

fn packed_block(x: Block, inverse: f32) -> array<vec4u, 4> {
  let scaled = block_scale(x, inverse, 0.0);
  return array(eight_halves(scaled[0], scaled[1]), eight_halves(scaled[2], scaled[3]), eight_halves(scaled[4], scaled[5]), eight_halves(scaled[6], scaled[7]));
}
