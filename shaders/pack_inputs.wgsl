// Inputs of a product as signed codes of 8 or 16 bits, with a scale for every 32 (as Q8_1 of llama.cpp), for
// matmul_packed.wgsl. A workgroup takes a row. Parts: block, step, input_*, workgroup_sum, peak, code_planes. Constants: K,
// M, THREADS, BYTES.
@group(0) @binding(2) var<storage, read_write> packed: array<vec4u>;        // [K / 32, BYTES, 2, M]: low bytes, then high ones
@group(0) @binding(3) var<storage, read_write> packed_scales: array<vec2f>; // [K / 32, M]: scale, and scale times the codes' sum

const PEAK_CODE = select(127.0, PLANES_PEAK, BYTES == 2u);

// Store sixteen codes, and return their sum.
fn store_half(m: u32, place: u32, x: mat4x4f, inverse: f32) -> i32 {
  if (BYTES == 1u) {
    let codes = vec4u(pack4xI8(byte_codes(x[0], inverse)), pack4xI8(byte_codes(x[1], inverse)), pack4xI8(byte_codes(x[2], inverse)), pack4xI8(byte_codes(x[3], inverse)));
    packed[place * M + m] = codes;
    return bytes_sum(codes);
  }
  let a = code_planes(x[0], inverse);
  let b = code_planes(x[1], inverse);
  let c = code_planes(x[2], inverse);
  let d = code_planes(x[3], inverse);
  let low = vec4u(a.low, b.low, c.low, d.low);
  let high = vec4u(a.high, b.high, c.high, d.high);
  packed[place * M + m] = low;
  packed[(place + 2u) * M + m] = high;
  return (bytes_sum(high) << 8u) + bytes_sum(low);
}

fn byte_codes(x: vec4f, inverse: f32) -> vec4i {
  return vec4i(round(x * inverse));
}

fn bytes_sum(bytes: vec4u) -> i32 {
  const ONES = 0x01010101u;
  return dot4I8Packed(bytes.x, ONES) + dot4I8Packed(bytes.y, ONES) + dot4I8Packed(bytes.z, ONES) + dot4I8Packed(bytes.w, ONES);
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
    let inverse = select(0.0, PEAK_CODE / peak, peak > 1e-30);
    let place = 2u * BYTES * block;
    let sum = store_half(m, place, mat4x4f(x[0], x[1], x[2], x[3]), inverse) + store_half(m, place + 1u, mat4x4f(x[4], x[5], x[6], x[7]), inverse);
    packed_scales[block * M + m] = peak / PEAK_CODE * vec2f(1.0, f32(sum));
  }
  let scale = input_scale(workgroup_sum(thread, squares));
  for (var block = thread; block < K / 32u; block += THREADS) {
    packed_scales[block * M + m] *= scale;
  }
}
