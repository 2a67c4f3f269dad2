// Normalise parts of rows where a product cannot do it while it reads: layer norms (Ba et al., "Layer Normalization"),
// and norms of results. A workgroup takes one of GROUPS equal parts of a row. Parts: block, step,
// workgroup_sum, norm_*. Constants: WIDTH (of
// a part), IS_CENTRED (whether the mean is taken off), EPSILON, BIAS_START, GROUPS.
@group(0) @binding(1) var<storage, read> gains: array<f32>;          // [GROUPS * WIDTH], then at BIAS_START as many biases; placed by gain_place

const THREADS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  let first = workgroup.x * WIDTH;
  var mean = 0.0;
  if (IS_CENTRED) {
    var sum = 0.0;
    for (var i = thread; i < WIDTH; i += THREADS) {
      sum += source(m, first + i);
    }
    mean = workgroup_sum(thread, sum) / f32(WIDTH);
  }
  var squares = 0.0;
  for (var i = thread; i < WIDTH; i += THREADS) {
    let value = source(m, first + i) - mean;
    squares += value * value;
  }
  let scale = inverseSqrt(workgroup_sum(thread, squares) / f32(WIDTH) + EPSILON);
  for (var i = thread; i < WIDTH; i += THREADS) {
    let element = first + i;
    let gain = gain_place(element);
    place(m, element, (source(m, element) - mean) * scale * gains[gain] + gains[BIAS_START + gain]);
  }
}
