// Gated units of which only the largest gates count: f(max(gate - cutoff, 0)) * up, where the cutoff is the row's mean plus
// CUTOFF standard deviations. Parts: block, step, workgroup_sum, activation_*. Constants: WIDTH, OUTPUT_STRIDE, CUTOFF.
@group(0) @binding(0) var<storage, read> pairs: array<vec2f>;        // [M, WIDTH]: gate and up
@group(0) @binding(1) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped

const THREADS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  var sum = 0.0;
  for (var i = thread; i < WIDTH; i += THREADS) {
    sum += pairs[m * WIDTH + i].x;
  }
  let mean = workgroup_sum(thread, sum) / f32(WIDTH);
  var squares = 0.0;
  for (var i = thread; i < WIDTH; i += THREADS) {
    let distance = pairs[m * WIDTH + i].x - mean;
    squares += distance * distance;
  }
  let cutoff = mean + CUTOFF * sqrt(workgroup_sum(thread, squares) / f32(WIDTH));
  for (var i = thread; i < WIDTH; i += THREADS) {
    let pair = pairs[m * WIDTH + i];
    outputs[m * OUTPUT_STRIDE + striped_element(i, OUTPUT_STRIDE)] = activated(max(pair.x - cutoff, 0.0)) * pair.y;
  }
}
