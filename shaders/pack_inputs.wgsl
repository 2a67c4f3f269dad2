// Inputs of a product as signed codes of 8 or 16 bits, with a scale for every 32 (as Q8_1 of llama.cpp), for
// matmul_packed.wgsl. A workgroup takes a row. Parts: block, step, input_*, workgroup_sum, peak, code_planes, block_planes.
// Constants: K, M, THREADS, BYTES.
@group(0) @binding(2) var<storage, read_write> packed: array<vec4u>;        // [K / 32, BYTES, 2, M]: low bytes, then high ones
@group(0) @binding(3) var<storage, read_write> packed_scales: array<vec2f>; // [K / 32, M]: scale, and scale times the codes' sum

const PEAK_CODE = select(127.0, PACKED_PEAK, BYTES == 2u);

// Store the codes of a block, and return their sum.
fn store_block(m: u32, block: u32, x: Block, inverse: f32) -> i32 {
  let first = 2u * BYTES * block * M + m;
  if (BYTES == 1u) {
    let codes = array(byte_codes(x[0], x[1], x[2], x[3], inverse), byte_codes(x[4], x[5], x[6], x[7], inverse));
    packed[first] = codes[0];
    packed[first + M] = codes[1];
    return bytes_sum(codes[0]) + bytes_sum(codes[1]);
  }
  let planes = packed_block(x, inverse); // high bytes, then low ones
  packed[first] = planes[2];
  packed[first + M] = planes[3];
  packed[first + 2u * M] = planes[0];
  packed[first + 3u * M] = planes[1];
  return ((bytes_sum(planes[0]) + bytes_sum(planes[1])) << 8u) + bytes_sum(planes[2]) + bytes_sum(planes[3]);
}

fn byte_codes(a: vec4f, b: vec4f, c: vec4f, d: vec4f, inverse: f32) -> vec4u {
  return vec4u(byte_quad(a * inverse), byte_quad(b * inverse), byte_quad(c * inverse), byte_quad(d * inverse));
}

fn byte_quad(x: vec4f) -> u32 {
  return pack4xI8(vec4i(round(x)));
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
    let sum = store_block(m, block, x, inverse);
    packed_scales[block * M + m] = peak / PEAK_CODE * vec2f(1.0, f32(sum));
  }
  let scale = input_scale(workgroup_sum(thread, squares));
  for (var block = thread; block < K / 32u; block += THREADS) {
    packed_scales[block * M + m] *= scale;
  }
}
