// The VECTORS query and key heads that a workgroup prepares: normalised per head where QK_NORM (Henry et al.,
// "Query-Key Normalization"), then rotated by position (Su et al., "RoFormer"): dimension i turns with i + ROTARY_DIM / 2,
// or neighbours turn together where INTERLEAVED. The kernel supplies raw_head(m, vector, dim). Constants: VECTORS, HEAD_DIM,
// ROTARY_DIM, INTERLEAVED, QK_NORM, GAINS_LAST (gains follow the rotation), EPSILON, QUERY_BETA (0 when off) and QUERY_SPAN
// (queries grow by 1 + QUERY_BETA ln(1 + floor(position / QUERY_SPAN))), WORKGROUP.
@group(0) @binding(1) var<storage, read> rope: array<vec2f>;         // [context, ROTARY_DIM / 2]: cosine, sine
@group(0) @binding(2) var<storage, read> head_gains: array<f32>;     // [2, HEAD_DIM]: queries, then keys; then [HEADS] sinks

const LANES = 8u; // threads that share a head's sum of squares
const HEAD_QUADS = HEAD_DIM / 4u;
var<workgroup> heads: array<vec4f, VECTORS * HEAD_QUADS>;
var<workgroup> head_squares: array<f32, VECTORS * LANES>;

fn head_scale(vector: u32) -> f32 {
  if (!QK_NORM) {
    return 1.0;
  }
  var sum = 0.0;
  for (var lane = 0u; lane < LANES; lane++) {
    sum += head_squares[vector * LANES + lane];
  }
  return inverseSqrt(sum / f32(HEAD_DIM) + EPSILON);
}

fn measure_heads(m: u32, thread: u32) {
  for (var item = thread; item < VECTORS * LANES; item += WORKGROUP) {
    var sum = 0.0;
    for (var dim = item % LANES; dim < HEAD_DIM; dim += LANES) {
      let value = raw_head(m, item / LANES, dim);
      sum += value * value;
    }
    head_squares[item] = sum;
  }
}

fn normalised(m: u32, vector: u32, dim: u32, scale: f32, gains: u32) -> f32 {
  let gain = select(head_gains[gains + dim], 1.0, GAINS_LAST);
  return raw_head(m, vector, dim) * select(1.0, scale * gain, QK_NORM);
}

fn rotated(m: u32, vector: u32, dim: u32, position: u32, scale: f32, gains: u32) -> f32 {
  const HALF_DIM = ROTARY_DIM / 2u;
  let own = normalised(m, vector, dim, scale, gains);
  let last_gain = select(1.0, head_gains[gains + dim], QK_NORM && GAINS_LAST);
  if (dim >= ROTARY_DIM) {
    return own * last_gain;
  }
  let is_second = select(dim >= HALF_DIM, (dim & 1u) == 1u, INTERLEAVED);
  let pair = select(select(dim, dim - HALF_DIM, is_second), dim / 2u, INTERLEAVED);
  let partner_dim = select(select(dim + HALF_DIM, dim - HALF_DIM, is_second), dim ^ 1u, INTERLEAVED);
  let partner = normalised(m, vector, partner_dim, scale, gains);
  let turn = rope[position * HALF_DIM + pair];
  return (own * turn.x + select(-partner, partner, is_second) * turn.y) * last_gain;
}

// Fill `heads`; vectors from `first_key` on are keys. The barriers before and after are inside.
fn rotate_heads(m: u32, thread: u32, position: u32, first_key: u32) {
  if (QK_NORM) {
    measure_heads(m, thread);
    workgroupBarrier();
  }
  for (var item = thread; item < VECTORS * HEAD_QUADS; item += WORKGROUP) {
    let vector = item / HEAD_QUADS;
    let dim = 4u * (item % HEAD_QUADS);
    let scale = head_scale(vector);
    let gains = select(0u, HEAD_DIM, vector >= first_key);
    let growth = select(1.0, 1.0 + QUERY_BETA * log(1.0 + f32(position / QUERY_SPAN)), QUERY_BETA != 0.0 && vector < first_key);
    heads[item] = growth * vec4f(
      rotated(m, vector, dim, position, scale, gains), rotated(m, vector, dim + 1u, position, scale, gains),
      rotated(m, vector, dim + 2u, position, scale, gains), rotated(m, vector, dim + 3u, position, scale, gains),
    );
  }
  workgroupBarrier();
}

fn head_eight(vector: u32, chunk: u32) -> Eight {
  let first = vector * HEAD_QUADS + 2u * chunk;
  return Eight(heads[first], heads[first + 1u]);
}
