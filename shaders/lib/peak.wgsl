// The largest size among the numbers of a block. Parts: block.
fn quad_peak(a: vec4f) -> f32 {
  let size = abs(a);
  return max(max(size.x, size.y), max(size.z, size.w));
}

fn block_peak(x: Block) -> f32 {
  let low = max(max(quad_peak(x[0]), quad_peak(x[1])), max(quad_peak(x[2]), quad_peak(x[3])));
  return max(low, max(max(quad_peak(x[4]), quad_peak(x[5])), max(quad_peak(x[6]), quad_peak(x[7]))));
}
