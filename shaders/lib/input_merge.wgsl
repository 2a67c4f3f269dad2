// Attention output that is still in SPLITS parts, merged while it is read: each part brings its softmax maximum and
// sum. Constants: K, HEADS, HEAD_DIM, SPLITS.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [M, SPLITS, K / 4], striped, not yet normalised
@group(0) @binding(1) var<storage, read> split_stats: array<vec2f>;  // [M, HEADS, SPLITS]: maximum, sum of exponentials

fn load_inputs(m: u32, block: u32) -> Inputs {
  const BLOCKS = K / 32u;
  if (HEAD_DIM % 32u == 0u) {
    let weights = split_weights(m, 32u * block / HEAD_DIM); // one head holds the whole block
    return Inputs(Block(
      merged(m, block, weights), merged(m, block + BLOCKS, weights),
      merged(m, block + 2u * BLOCKS, weights), merged(m, block + 3u * BLOCKS, weights),
      merged(m, block + 4u * BLOCKS, weights), merged(m, block + 5u * BLOCKS, weights),
      merged(m, block + 6u * BLOCKS, weights), merged(m, block + 7u * BLOCKS, weights),
    ), 0.0);
  }
  return Inputs(Block(
    merged_quad(m, 8u * block), merged_quad(m, 8u * block + 1u), merged_quad(m, 8u * block + 2u), merged_quad(m, 8u * block + 3u),
    merged_quad(m, 8u * block + 4u), merged_quad(m, 8u * block + 5u), merged_quad(m, 8u * block + 6u), merged_quad(m, 8u * block + 7u),
  ), 0.0);
}

// One quad of the row; zero in the padding.
fn merged_quad(m: u32, quad: u32) -> vec4f {
  if (quad >= HEADS * HEAD_DIM / 4u) {
    return vec4f();
  }
  return merged(m, striped(quad, K / 32u), split_weights(m, quad / (HEAD_DIM / 4u)));
}

fn merged(m: u32, place: u32, weights: array<f32, SPLITS>) -> vec4f {
  var value = vec4f();
  for (var split = 0u; split < SPLITS; split++) {
    value += weights[split] * inputs[(m * SPLITS + split) * (K / 4u) + place];
  }
  return value;
}

// What each part of a head counts for in the whole softmax.
fn split_weights(m: u32, head: u32) -> array<f32, SPLITS> {
  let first = (m * HEADS + head) * SPLITS;
  var highest = split_stats[first].x;
  for (var split = 1u; split < SPLITS; split++) {
    highest = max(highest, split_stats[first + split].x);
  }
  var weights = array<f32, SPLITS>();
  var sum = 0.0;
  for (var split = 0u; split < SPLITS; split++) {
    let stats = split_stats[first + split];
    weights[split] = exp(stats.x - highest);
    sum += weights[split] * stats.y;
  }
  for (var split = 0u; split < SPLITS; split++) {
    weights[split] /= sum;
  }
  return weights;
}

fn input_scale(sum_of_squares: f32) -> f32 {
  return 1.0;
}
