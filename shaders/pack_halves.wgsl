// Inputs of a product as half floats between -1 and 1, with a scale for every 32, for matmul_halves.wgsl. A workgroup takes a
// row. Parts: block, step, input_*, workgroup_sum, peak. Constants: K, M, THREADS.
@group(0) @binding(2) var<storage, read_write> halves: array<f16>;          // [K, M]
@group(0) @binding(3) var<storage, read_write> half_scales: array<vec2f>;   // [K / 32, M]: scale, and scale times the halves' sum

// Store four neighbouring columns of a row, and return their sum.
fn store_quad(m: u32, column: u32, x: vec4f) -> f32 {
  let rounded = vec4<f16>(x);
  halves[column * M + m] = rounded.x;
  halves[(column + 1u) * M + m] = rounded.y;
  halves[(column + 2u) * M + m] = rounded.z;
  halves[(column + 3u) * M + m] = rounded.w;
  return quad_sum(vec4f(rounded));
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
    let peak = block_peak(loaded.x);
    let x = block_scale(loaded.x, select(0.0, 1.0 / peak, peak > 1e-30), 0.0);
    let first = 32u * block;
    let low = store_quad(m, first, x[0]) + store_quad(m, first + 4u, x[1]) + store_quad(m, first + 8u, x[2]) + store_quad(m, first + 12u, x[3]);
    let high = store_quad(m, first + 16u, x[4]) + store_quad(m, first + 20u, x[5]) + store_quad(m, first + 24u, x[6]) + store_quad(m, first + 28u, x[7]);
    half_scales[block * M + m] = peak * vec2f(1.0, low + high);
  }
  let scale = input_scale(workgroup_sum(thread, squares));
  for (var block = thread; block < K / 32u; block += THREADS) {
    half_scales[block * M + m] *= scale;
  }
}
