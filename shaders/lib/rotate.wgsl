// The VECTORS query and key heads that a workgroup prepares: normalised per head where QK_NORM (Henry et al.,
// "Query-Key Normalization"), then rotated by position (Su et al., "RoFormer"): dimension i turns with i + ROTARY_DIM / 2,
// or neighbours turn together where INTERLEAVED. The kernel supplies raw_head(m, vector, dim). Constants: VECTORS, HEAD_DIM,
// ROTARY_DIM, INTERLEAVED, QK_NORM, GAINS_LAST (gains follow the rotation), EPSILON, QUERY_BETA (0 when off) and QUERY_SPAN
// (queries grow by 1 + QUERY_BETA ln(1 + floor(position / QUERY_SPAN))), WORKGROUP.
@group(0) @binding(1) var<storage, read> rope: array<vec2f>;         // [context, ROTARY_DIM / 2]: cosine, sine
@group(0) @binding(2) var<storage, read> head_gains: array<f32>;     // [2, HEAD_DIM]: queries, then keys; then [HEADS] sinks

const HEAD_QUADS = HEAD_DIM / 4u;
var<workgroup> heads: array<vec4f, VECTORS * HEAD_QUADS>;
var<workgroup> quad_squares: array<f32, VECTORS * HEAD_QUADS>; // sums of squares before the norm

fn head_scale(vector: u32) -> f32 {
  var sum = 0.0;
  for (var quad = 0u; quad < HEAD_QUADS; quad++) {
    sum += quad_squares[vector * HEAD_QUADS + quad];
  }
  return inverseSqrt(sum / f32(HEAD_DIM) + EPSILON);
}

fn gained(m: u32, vector: u32, dim: u32, gains: u32) -> f32 {
  return raw_head(m, vector, dim) * select(1.0, head_gains[gains + dim], QK_NORM && !GAINS_LAST);
}

fn rotated(m: u32, vector: u32, dim: u32, position: u32, gains: u32) -> f32 {
  const HALF_DIM = ROTARY_DIM / 2u;
  let own = gained(m, vector, dim, gains);
  let last_gain = select(1.0, head_gains[gains + dim], QK_NORM && GAINS_LAST);
  if (dim >= ROTARY_DIM) {
    return own * last_gain;
  }
  let is_second = select(dim >= HALF_DIM, (dim & 1u) == 1u, INTERLEAVED);
  let pair = select(select(dim, dim - HALF_DIM, is_second), dim / 2u, INTERLEAVED);
  let partner_dim = select(select(dim + HALF_DIM, dim - HALF_DIM, is_second), dim ^ 1u, INTERLEAVED);
  let partner = gained(m, vector, partner_dim, gains);
  let turn = rope[position * HALF_DIM + pair];
  return (own * turn.x + select(-partner, partner, is_second) * turn.y) * last_gain;
}

// Fill `heads`; vectors from `first_key` on are keys. All that this reads is asked for at once: the norm's scale, which waits
// for a whole head, comes last, since it turns with the head. The barriers before and after are inside.
fn rotate_heads(m: u32, thread: u32, position: u32, first_key: u32) {
  for (var item = thread; item < VECTORS * HEAD_QUADS; item += WORKGROUP) {
    let vector = item / HEAD_QUADS;
    let dim = 4u * (item % HEAD_QUADS);
    let gains = select(0u, HEAD_DIM, vector >= first_key);
    let growth = select(1.0, 1.0 + QUERY_BETA * log(1.0 + f32(position / QUERY_SPAN)), QUERY_BETA != 0.0 && vector < first_key);
    heads[item] = growth * vec4f(
      rotated(m, vector, dim, position, gains), rotated(m, vector, dim + 1u, position, gains),
      rotated(m, vector, dim + 2u, position, gains), rotated(m, vector, dim + 3u, position, gains),
    );
    if (QK_NORM) {
      let raw = vec4f(raw_head(m, vector, dim), raw_head(m, vector, dim + 1u), raw_head(m, vector, dim + 2u), raw_head(m, vector, dim + 3u));
      quad_squares[item] = dot(raw, raw);
    }
  }
  if (QK_NORM) {
    workgroupBarrier();
    for (var item = thread; item < VECTORS * HEAD_QUADS; item += WORKGROUP) {
      heads[item] *= head_scale(item / HEAD_QUADS);
    }
  }
  workgroupBarrier();
}

fn head_eight(vector: u32, chunk: u32) -> Eight {
  let first = vector * HEAD_QUADS + 2u * chunk;
  return Eight(heads[first], heads[first + 1u]);
}
