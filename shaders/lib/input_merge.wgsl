// Attention output that is still in SPLITS parts, merged while it is read: each part brings its softmax maximum and
// sum. Constants: K, HEADS, HEAD_DIM, SPLITS.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, HEADS, SPLITS, HEAD_DIM / 4], not yet normalised
@group(0) @binding(1) var<storage, read> split_stats: array<vec2f>;  // [M, HEADS, SPLITS]: maximum, sum of exponentials

// Load 32 inputs; the result, a sum of squares in other variants, is unused here.
fn load_input(m: u32, block: u32, x: ptr<function, Block>) -> f32 {
  for (var i = 0u; i < 8u; i++) {
    let element = 32u * block + 4u * i;
    (*x)[i] = vec4f();
    if (element < HEADS * HEAD_DIM) {
      (*x)[i] = merged(m * HEADS + element / HEAD_DIM, (element % HEAD_DIM) / 4u);
    }
  }
  return 0.0;
}

fn merged(head: u32, quad: u32) -> vec4f {
  var highest = split_stats[head * SPLITS].x;
  for (var split = 1u; split < SPLITS; split++) {
    highest = max(highest, split_stats[head * SPLITS + split].x);
  }
  var value = vec4f();
  var sum = 0.0;
  for (var split = 0u; split < SPLITS; split++) {
    let stats = split_stats[head * SPLITS + split];
    let weight = exp(stats.x - highest);
    value += weight * inputs[(head * SPLITS + split) * (HEAD_DIM / 4u) + quad];
    sum += weight * stats.y;
  }
  return value / sum;
}

fn input_scale(sum_of_squares: f32) -> f32 {
  return 1.0;
}
