// Causal attention of consecutive rows of one sequence over its cache, which holds their keys and values already. A
// workgroup takes QUERIES rows of one head and walks the positions in tiles of KEYS, with online softmax in f32 (Dao et
// al., "FlashAttention"). Eight threads share a row. Parts: step, kv_pages, kv_*, block, cap. Constants: HEADS, KV_HEADS,
// HEAD_DIM, SCALE, CAP, SINKS, WINDOW (0 when off), QKV_STRIDE, OUTPUT_STRIDE, M.
@group(0) @binding(0) var<storage, read> qkv: array<f32>;            // [M, QKV_STRIDE]: rotated queries first
@group(0) @binding(1) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped
@group(0) @binding(2) var<storage, read> head_gains: array<f32>;     // [2, HEAD_DIM] gains; then [HEADS] sinks

const QUERIES = 8u;
const KEYS = 32u;
const OWNED = (CHUNKS + 7u) / 8u; // chunks of output dimensions that a thread accumulates
const LOWEST = -3.0e38;
const HEAD_QUADS = HEAD_DIM / 4u;
const HOLDS_QUERIES = HEAD_DIM <= 256u; // wider heads would not fit in the workgroup memory that every device has
var<workgroup> queries: array<vec4f, QUERIES * min(HEAD_QUADS, 64u)>;
var<workgroup> scores: array<f32, QUERIES * KEYS>;

fn read_query(m: u32, head: u32, quad: u32) -> vec4f {
  let i = m * QKV_STRIDE + head * HEAD_DIM + 4u * quad;
  return SCALE * vec4f(qkv[i], qkv[i + 1u], qkv[i + 2u], qkv[i + 3u]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let head = workgroup.x;
  let kv_head = head / (HEADS / KV_HEADS);
  let first = workgroup.y * QUERIES;
  let slot = rows[first].x;
  let query = thread / 8u;
  let lane = thread % 8u;
  let m = first + query;
  for (var item = thread; HOLDS_QUERIES && item < QUERIES * HEAD_QUADS; item += 64u) {
    queries[item] = read_query(first + item / HEAD_QUADS, head, item % HEAD_QUADS);
  }
  // Positions rise with the row, and rows past the end of the chunk are inactive and come last.
  var last = rows[first].y;
  for (var q = 1u; q < QUERIES; q++) {
    last = max(last, rows[first + q].y * rows[first + q].w);
  }
  let position = rows[m].y;
  let begin = select(0u, position + 1u - WINDOW, WINDOW > 0u && position >= WINDOW);
  let tile_begin = select(0u, (rows[first].y + 1u - WINDOW) / KEYS, WINDOW > 0u && rows[first].y >= WINDOW);

  var highest = LOWEST;
  var sum = 0.0;
  if (SINKS) {
    highest = head_gains[2u * HEAD_DIM + head];
    sum = 1.0;
  }
  var low: array<vec4f, OWNED>;
  var high: array<vec4f, OWNED>;
  workgroupBarrier();
  for (var tile = tile_begin; tile <= last / KEYS; tile++) {
    // Four keys a thread, all on their way before the first is used.
    var dots = array<f32, 4>();
    var indices = array<u32, 4>();
    for (var i = 0u; i < 4u; i++) {
      indices[i] = key_index(slot, kv_head, min(tile * KEYS + lane + 8u * i, last), 0u);
    }
    for (var c = 0u; c < CHUNKS; c++) {
      let place = query * HEAD_QUADS + 2u * c;
      var query_low: vec4f;
      var query_high: vec4f;
      if (HOLDS_QUERIES) {
        query_low = queries[place];
        query_high = queries[place + 1u];
      } else {
        query_low = read_query(m, head, 2u * c);
        query_high = read_query(m, head, 2u * c + 1u);
      }
      for (var i = 0u; i < 4u; i++) {
        let k = load_eight(indices[i] + c * PAGE);
        dots[i] += dot(k.low, query_low) + dot(k.high, query_high);
      }
    }
    for (var i = 0u; i < 4u; i++) {
      let key_position = tile * KEYS + lane + 8u * i;
      let visible = key_position >= begin && key_position <= position;
      let scale = key_scale(slot, kv_head, min(key_position, last));
      scores[query * KEYS + lane + 8u * i] = select(LOWEST, capped(scale * dots[i]), visible);
    }
    workgroupBarrier();
    var best = highest;
    for (var key = 0u; key < KEYS; key++) {
      best = max(best, scores[query * KEYS + key]);
    }
    let shrink = exp(highest - best);
    highest = best;
    sum *= shrink;
    for (var o = 0u; o < OWNED; o++) {
      low[o] *= shrink;
      high[o] *= shrink;
    }
    for (var four = 0u; four < KEYS; four += 4u) {
      for (var o = 0u; o < OWNED; o++) {
        let chunk = min(lane + 8u * o, CHUNKS - 1u);
        var values = array<Eight, 4>();
        for (var i = 0u; i < 4u; i++) {
          values[i] = load_eight(value_index(slot, kv_head, min(tile * KEYS + four + i, last), chunk));
        }
        for (var i = 0u; i < 4u; i++) {
          let score = scores[query * KEYS + four + i];
          let weight = select(0.0, exp(score - best), score > LOWEST);
          let scaled = weight * value_scale(slot, kv_head, min(tile * KEYS + four + i, last));
          sum += select(0.0, weight, o == 0u);
          low[o] += scaled * values[i].low;
          high[o] += scaled * values[i].high;
        }
      }
    }
    workgroupBarrier();
  }
  if (!row_is_active(m)) {
    return;
  }
  for (var o = 0u; o < OWNED; o++) {
    let chunk = lane + 8u * o;
    if (chunk < CHUNKS) {
      let quad = (head * HEAD_DIM + 8u * chunk) / 4u;
      let low_place = m * OUTPUT_STRIDE + 4u * striped(quad, OUTPUT_STRIDE / 32u);
      let high_place = m * OUTPUT_STRIDE + 4u * striped(quad + 1u, OUTPUT_STRIDE / 32u);
      for (var i = 0u; i < 4u; i++) {
        outputs[low_place + i] = low[o][i] / sum;
        outputs[high_place + i] = high[o][i] / sum;
      }
    }
  }
}
