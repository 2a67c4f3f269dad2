// Keys and values as signed 8-bit codes, with an f32 scale for each head of each position. Both scales of a position share
// a place, so that one thread writes it whole.
@group(0) @binding(8) var<storage, read_write> kv: array<vec2u>;     // [pages, KV_HEADS, (K then V, 64 * CHUNKS), 64 pairs of scales]
var<workgroup> peaks: array<atomic<u32>, 2>; // of the row that is appended: bits of floats that are not negative rise as they do

const SCALE_PLACES = PAGE;

fn four_values(codes: u32) -> vec4f {
  return vec4f(vec4i(vec4u(codes << 24u, codes << 16u, codes << 8u, codes)) >> vec4u(24u));
}

fn load_eight(index: u32) -> Eight {
  let codes = kv[index];
  return Eight(four_values(codes.x), four_values(codes.y));
}

fn key_scale(slot: u32, kv_head: u32, position: u32) -> f32 {
  return bitcast<f32>(kv[scales_index(slot, kv_head, position)].x);
}

fn value_scale(slot: u32, kv_head: u32, position: u32) -> f32 {
  return bitcast<f32>(kv[scales_index(slot, kv_head, position)].y);
}

fn eight_peak(value: Eight) -> f32 {
  let four = max(abs(value.low), abs(value.high));
  return max(max(four.x, four.y), max(four.z, four.w));
}

fn four_codes(values: vec4f, inverse: f32) -> u32 {
  let bytes = vec4u(vec4i(round(values * inverse))) & vec4u(255u);
  return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

fn eight_codes(value: Eight, peak: f32) -> vec2u {
  let inverse = select(0.0, 127.0 / peak, peak > 1e-30);
  return vec2u(four_codes(value.low, inverse), four_codes(value.high, inverse));
}

fn append_row(slot: u32, kv_head: u32, position: u32, thread: u32, key: Eight, value: Eight) {
  if (thread < 2u) {
    atomicStore(&peaks[thread], 0u);
  }
  workgroupBarrier();
  if (thread < CHUNKS) {
    atomicMax(&peaks[0], bitcast<u32>(eight_peak(key)));
    atomicMax(&peaks[1], bitcast<u32>(eight_peak(value)));
  }
  workgroupBarrier();
  let key_peak = bitcast<f32>(atomicLoad(&peaks[0]));
  let value_peak = bitcast<f32>(atomicLoad(&peaks[1]));
  if (thread < CHUNKS) {
    kv[key_index(slot, kv_head, position, thread)] = eight_codes(key, key_peak);
    kv[value_index(slot, kv_head, position, thread)] = eight_codes(value, value_peak);
  }
  if (thread == 0u) {
    kv[scales_index(slot, kv_head, position)] = bitcast<vec2u>(vec2f(key_peak, value_peak) / 127.0);
  }
}
