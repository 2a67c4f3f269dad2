// The VECTORS query and key heads that a workgroup prepares: normalised per head where QK_NORM (Henry et al.,
// "Query-Key Normalization"), then rotated by position (Su et al., "RoFormer"; halves paired as in GPT-NeoX).
// Constants: VECTORS, HEAD_DIM, ROTARY_DIM, QK_NORM, EPSILON, WORKGROUP.
@group(0) @binding(1) var<storage, read> rope: array<vec2f>;         // [context, ROTARY_DIM / 2]: cosine, sine
@group(0) @binding(2) var<storage, read> head_gains: array<f32>;     // [2, HEAD_DIM]: queries, then keys

const LANES = 8u; // threads that share a head's sum of squares
var<workgroup> heads: array<f32, VECTORS * HEAD_DIM>;
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

fn head_gain(is_key: bool, dim: u32) -> f32 {
  return select(1.0, head_gains[select(0u, HEAD_DIM, is_key) + dim], QK_NORM);
}

fn measure_heads(thread: u32) {
  for (var item = thread; item < VECTORS * LANES; item += WORKGROUP) {
    var sum = 0.0;
    for (var dim = item % LANES; dim < HEAD_DIM; dim += LANES) {
      let value = heads[(item / LANES) * HEAD_DIM + dim];
      sum += value * value;
    }
    head_squares[item] = sum;
  }
}

// Rotate `heads` in place; vectors from `first_key` on are keys. Barriers before and after are inside.
fn rotate_heads(thread: u32, position: u32, first_key: u32) {
  workgroupBarrier();
  measure_heads(thread);
  workgroupBarrier();
  const PAIRS = HEAD_DIM / 2u;
  for (var item = thread; item < VECTORS * PAIRS; item += WORKGROUP) {
    let vector = item / PAIRS;
    let pair = item % PAIRS;
    // Pairs beyond the rotary dimensions pass through; they are numbered so that each dimension has one owner.
    let rotary = pair < ROTARY_DIM / 2u;
    let rest = ROTARY_DIM + 2u * (pair - ROTARY_DIM / 2u);
    let a = select(rest, pair, rotary);
    let b = select(rest + 1u, pair + ROTARY_DIM / 2u, rotary);
    let scale = head_scale(vector);
    let x = heads[vector * HEAD_DIM + a] * scale * head_gain(vector >= first_key, a);
    let y = heads[vector * HEAD_DIM + b] * scale * head_gain(vector >= first_key, b);
    var turn = vec2f(1.0, 0.0);
    if (rotary) {
      turn = rope[position * (ROTARY_DIM / 2u) + pair];
    }
    heads[vector * HEAD_DIM + a] = x * turn.x - y * turn.y;
    heads[vector * HEAD_DIM + b] = y * turn.x + x * turn.y;
  }
  workgroupBarrier();
}
