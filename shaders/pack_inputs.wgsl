// Inputs of a product as signed 8-bit codes, with a scale for every 32 (as Q8_1 of llama.cpp), for matmul_packed.wgsl. A
// workgroup takes a row. Parts: block, step, input_*, workgroup_sum. Constants: K, M, THREADS.
@group(0) @binding(2) var<storage, read_write> packed: array<vec4u>;        // [K / 32, 2, M]
@group(0) @binding(3) var<storage, read_write> packed_scales: array<vec2f>; // [K / 32, M]: scale, and scale times the codes' sum

fn quad_peak(a: vec4f) -> f32 {
  let size = abs(a);
  return max(max(size.x, size.y), max(size.z, size.w));
}

fn block_peak(x: Block) -> f32 {
  let low = max(max(quad_peak(x[0]), quad_peak(x[1])), max(quad_peak(x[2]), quad_peak(x[3])));
  return max(low, max(max(quad_peak(x[4]), quad_peak(x[5])), max(quad_peak(x[6]), quad_peak(x[7]))));
}

fn four_codes(x: vec4f, inverse: f32) -> u32 {
  return pack4xI8(vec4i(round(x * inverse)));
}

fn codes_sum(words: vec4u) -> i32 {
  const ONES = 0x01010101u;
  return dot4I8Packed(words.x, ONES) + dot4I8Packed(words.y, ONES) + dot4I8Packed(words.z, ONES) + dot4I8Packed(words.w, ONES);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  var squares = 0.0;
  for (var block = thread; block < K / 32u; block += THREADS) {
    let loaded = load_inputs(m, block);
    squares += loaded.squares;
    let x = loaded.x;
    let peak = block_peak(x);
    let inverse = select(0.0, 127.0 / peak, peak > 1e-30);
    let low = vec4u(four_codes(x[0], inverse), four_codes(x[1], inverse), four_codes(x[2], inverse), four_codes(x[3], inverse));
    let high = vec4u(four_codes(x[4], inverse), four_codes(x[5], inverse), four_codes(x[6], inverse), four_codes(x[7], inverse));
    packed[2u * block * M + m] = low;
    packed[(2u * block + 1u) * M + m] = high;
    packed_scales[block * M + m] = peak / 127.0 * vec2f(1.0, f32(codes_sum(low) + codes_sum(high)));
  }
  let scale = input_scale(workgroup_sum(thread, squares));
  for (var block = thread; block < K / 32u; block += THREADS) {
    packed_scales[block * M + m] *= scale;
  }
}
