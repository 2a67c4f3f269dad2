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
var<workgroup> queries: array<f32, QUERIES * HEAD_DIM>;
var<workgroup> scores: array<f32, QUERIES * KEYS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let head = workgroup.x;
  let kv_head = head / (HEADS / KV_HEADS);
  let first = workgroup.y * QUERIES;
  let slot = rows[first].x;
  let query = thread / 8u;
  let lane = thread % 8u;
  let m = first + query;
  for (var item = thread; item < QUERIES * HEAD_DIM; item += 64u) {
    queries[item] = qkv[(first + item / HEAD_DIM) * QKV_STRIDE + head * HEAD_DIM + item % HEAD_DIM] * SCALE;
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
    for (var key = lane; key < KEYS; key += 8u) {
      let key_position = tile * KEYS + key;
      var score = LOWEST;
      if (key_position >= begin && key_position <= position) {
        let index = key_index(slot, kv_head, key_position, 0u);
        score = 0.0;
        for (var c = 0u; c < CHUNKS; c++) {
          let k = load_eight(index + c * PAGE);
          let i = query * HEAD_DIM + 8u * c;
          score += dot(k.low, vec4f(queries[i], queries[i + 1u], queries[i + 2u], queries[i + 3u]))
            + dot(k.high, vec4f(queries[i + 4u], queries[i + 5u], queries[i + 6u], queries[i + 7u]));
        }
      }
      scores[query * KEYS + key] = select(LOWEST, capped(score), score > LOWEST);
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
    for (var key = 0u; key < KEYS; key++) {
      let score = scores[query * KEYS + key];
      if (score > LOWEST) {
        let weight = exp(score - best);
        let index = value_index(slot, kv_head, tile * KEYS + key, 0u);
        sum += weight;
        for (var o = 0u; o < OWNED; o++) {
          if (lane + 8u * o < CHUNKS) {
            let value = load_eight(index + lane + 8u * o);
            low[o] += weight * value.low;
            high[o] += weight * value.high;
          }
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
