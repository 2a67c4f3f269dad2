// Attention output that is still in SPLITS parts, merged while it is read: each part brings its softmax maximum and
// sum. Constants: K, HEADS, HEAD_DIM, SPLITS.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, HEADS, SPLITS, HEAD_DIM / 4], not yet normalised
@group(0) @binding(1) var<storage, read> split_stats: array<vec2f>;  // [M, HEADS, SPLITS]: maximum, sum of exponentials

fn load_inputs(m: u32, block: u32) -> Inputs {
  let first = 8u * block;
  return Inputs(Block(
    merged_quad(m, first), merged_quad(m, first + 1u), merged_quad(m, first + 2u), merged_quad(m, first + 3u),
    merged_quad(m, first + 4u), merged_quad(m, first + 5u), merged_quad(m, first + 6u), merged_quad(m, first + 7u),
  ), 0.0);
}

fn merged_quad(m: u32, quad: u32) -> vec4f {
  if (quad >= HEADS * HEAD_DIM / 4u) {
    return vec4f();
  }
  return merged(m * HEADS + quad / (HEAD_DIM / 4u), quad % (HEAD_DIM / 4u));
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
