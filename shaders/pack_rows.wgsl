// Inputs of a product for units that multiply matrices, with a scale for every row: half floats between -1 and 1 for
// matmul_halves.wgsl, or planes of bytes for matmul_planes.wgsl. A workgroup takes a row. Parts: block, block_*, peak, step,
// input_*, workgroup_sum. Constants: K, THREADS.
@group(0) @binding(2) var<storage, read_write> packed: array<vec4u>;        // [M, K / 32, 4]: thirty-two half floats, or high bytes and low ones
@group(0) @binding(3) var<storage, read_write> packed_scales: array<f32>;   // [M]

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
    packed_scales[m] = peak / PACKED_PEAK * scale;
  }
  let inverse = select(0.0, PACKED_PEAK / peak, peak > 1e-30);
  for (var block = thread; block < K / 32u; block += THREADS) {
    let x = packed_block(load_inputs(m, block).x, inverse);
    let first = 4u * (m * (K / 32u) + block);
    packed[first] = x[0];
    packed[first + 1u] = x[1];
    packed[first + 2u] = x[2];
    packed[first + 3u] = x[3];
  }
}
