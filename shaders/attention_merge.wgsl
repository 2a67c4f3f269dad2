// Merge the parts of split attention into one row per token, when there are too many to merge while reading. A workgroup
// takes QUADS quads of a row, each by SHARES threads with some of the parts, which keep a running maximum (Milakov and
// Gimelshein). Parts: block, step. Constants: K, HEADS, HEAD_DIM, SPLITS, QUADS, SHARES.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;        // [M, SPLITS, K / 4], striped, not yet normalised
@group(0) @binding(1) var<storage, read> split_stats: array<vec2f>;   // [M, HEADS, SPLITS]: maximum, sum of exponentials
@group(0) @binding(2) var<storage, read_write> outputs: array<vec4f>; // [M, K / 4], striped

// A weighted sum, the sum of its weights, and the maximum that they are relative to.
struct Share {
  value: vec4f,
  weight: f32,
  highest: f32,
}

const NO_SHARE = Share(vec4f(), 0.0, -3.0e38);
var<workgroup> shares: array<Share, QUADS * SHARES>; // [SHARES, QUADS]

fn together(a: Share, b: Share) -> Share {
  let highest = max(a.highest, b.highest);
  let a_counts = exp(a.highest - highest);
  let b_counts = exp(b.highest - highest);
  return Share(a_counts * a.value + b_counts * b.value, a_counts * a.weight + b_counts * b.weight, highest);
}

@compute @workgroup_size(QUADS * SHARES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  const ALL_QUADS = HEADS * HEAD_DIM / 4u;
  let own_quad = workgroup.x * QUADS + thread % QUADS;
  let quad = min(own_quad, ALL_QUADS - 1u); // past the end the last once more, which is not written
  let place = striped(quad, K / 32u);
  let head = quad / (HEAD_DIM / 4u);
  var share = NO_SHARE;
  for (var split = thread / QUADS; split < SPLITS; split += SHARES) {
    let stats = split_stats[(m * HEADS + head) * SPLITS + split];
    share = together(share, Share(inputs[(m * SPLITS + split) * (K / 4u) + place], stats.y, stats.x));
  }
  shares[thread] = share;
  workgroupBarrier();
  if (thread < QUADS && own_quad < ALL_QUADS) {
    for (var i = 1u; i < SHARES; i++) {
      share = together(share, shares[i * QUADS + thread]);
    }
    outputs[m * (K / 4u) + place] = share.value / share.weight;
  }
}
