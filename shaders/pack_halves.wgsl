// Inputs of a product as half floats between -1 and 1, with a scale for every row, for matmul_matrices.wgsl. A workgroup takes a
// row. Parts: block, eight_halves, peak, step, input_*, workgroup_sum. Constants: K, THREADS.
@group(0) @binding(2) var<storage, read_write> halves: array<vec4u>;        // [M, K / 8], two to a word
@group(0) @binding(3) var<storage, read_write> half_scales: array<f32>;     // [M]

var<workgroup> lane_peaks: array<f32, THREADS>;

fn workgroup_peak(thread: u32, own: f32) -> f32 {
  lane_peaks[thread] = own;
  workgroupBarrier();
  var peak = 0.0;
  for (var lane = 0u; lane < THREADS; lane++) {
    peak = max(peak, lane_peaks[lane]);
  }
  return peak;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  var squares = 0.0;
  var own_peak = 0.0;
  for (var block = thread; block < K / 32u; block += THREADS) {
    let loaded = load_inputs(m, block);
    squares += loaded.squares;
    own_peak = max(own_peak, block_peak(loaded.x));
  }
  let peak = workgroup_peak(thread, own_peak);
  let scale = input_scale(workgroup_sum(thread, squares));
  if (thread == 0u) {
    half_scales[m] = peak * scale;
  }
  let inverse = select(0.0, 1.0 / peak, peak > 1e-30);
  for (var block = thread; block < K / 32u; block += THREADS) {
    let x = block_scale(load_inputs(m, block).x, inverse, 0.0);
    let first = m * (K / 8u) + 4u * block;
    halves[first] = eight_halves(x[0], x[1]);
    halves[first + 1u] = eight_halves(x[2], x[3]);
    halves[first + 2u] = eight_halves(x[4], x[5]);
    halves[first + 3u] = eight_halves(x[6], x[7]);
  }
}
