// Attention of one token of each sequence over its cache: a workgroup serves GROUP query heads that share a key-value
// head, over one of SPLITS spans of positions. It normalises and rotates its heads first; the workgroup whose span holds
// the token itself appends the token's key and value to the cache, and uses its own copy. Softmax is online (Milakov and
// Gimelshein; Dao et al., "FlashAttention"), in f32. Parts: step, kv_pages, kv_*, block, cap, rotate. Constants: HEADS,
// KV_HEADS, HEAD_DIM, GROUP (query heads of a workgroup), GROUPS (workgroups per key-value head), SPLITS, SCALE, CAP,
// SINKS, WINDOW (0 when off), QKV_STRIDE, OUTPUT_STRIDE, WORKGROUP, VECTORS = GROUP + 1.
@group(0) @binding(0) var<storage, read> qkv: array<f32>;            // [M, QKV_STRIDE]: HEADS queries, KV_HEADS keys, KV_HEADS values
@group(0) @binding(3) var<storage, read_write> outputs: array<f32>;  // [M, SPLITS, OUTPUT_STRIDE], striped
@group(0) @binding(4) var<storage, read_write> split_stats: array<vec2f>; // [M, HEADS, SPLITS]: maximum, sum of exponentials

const TILE = WORKGROUP;                      // positions scored at a time, one to a thread
const SUBSETS = max(WORKGROUP / CHUNKS, 1u); // threads that share a chunk of eight output dimensions
const FLIGHT = select(select(1u, 2u, CHUNKS % 2u == 0u), 4u, CHUNKS % 4u == 0u); // key loads in flight
const SPANS = 16u;                           // parts of a tile whose maxima are found side by side
const LOWEST = -3.0e38;
var<workgroup> scores: array<f32, GROUP * TILE>;
var<workgroup> span_max: array<f32, GROUP * SPANS>;
var<workgroup> sums: array<vec4f, 2u * WORKGROUP>;
var<workgroup> weights: array<f32, WORKGROUP>;
var<private> own_kv_head: u32;
var<private> own_first_head: u32;

fn raw_head(m: u32, vector: u32, dim: u32) -> f32 {
  let head = select(own_first_head + vector, HEADS + own_kv_head, vector == GROUP);
  return qkv[m * QKV_STRIDE + head * HEAD_DIM + dim];
}

fn own_value(m: u32, chunk: u32) -> Eight {
  let i = m * QKV_STRIDE + (HEADS + KV_HEADS + own_kv_head) * HEAD_DIM + 8u * chunk;
  return Eight(vec4f(qkv[i], qkv[i + 1u], qkv[i + 2u], qkv[i + 3u]), vec4f(qkv[i + 4u], qkv[i + 5u], qkv[i + 6u], qkv[i + 7u]));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.z;
  if (!row_is_active(m)) {
    return;
  }
  let slot = rows[m].x;
  let position = rows[m].y;
  let kv_head = workgroup.x / GROUPS;
  own_kv_head = kv_head;
  own_first_head = workgroup.x * GROUP;
  rotate_heads(m, thread, position, GROUP);

  // The span of this split, in whole pages.
  let begin = select(0u, position + 1u - WINDOW, WINDOW > 0u && position >= WINDOW);
  let first_page = begin / PAGE;
  let pages = position / PAGE + 1u - first_page;
  let span = (pages + SPLITS - 1u) / SPLITS;
  let span_begin = PAGE * (first_page + min(workgroup.y * span, pages));
  let span_end = min(PAGE * (first_page + min((workgroup.y + 1u) * span, pages)), position + 1u);
  let owner = workgroup.x % GROUPS == 0u && span_begin <= position && span_end == position + 1u;
  if (owner && thread < CHUNKS) {
    store_eight(key_index(slot, kv_head, position, thread), head_eight(GROUP, thread));
    store_eight(value_index(slot, kv_head, position, thread), own_value(m, thread));
  }

  var highest: array<f32, GROUP>;
  var sum: array<f32, GROUP>;
  var low: array<vec4f, GROUP>;
  var high: array<vec4f, GROUP>;
  let chunk = thread % CHUNKS;
  let subset = thread / CHUNKS;
  let holds_token = span_begin <= position && span_end == position + 1u;
  for (var g = 0u; g < GROUP; g++) {
    highest[g] = LOWEST;
    if (SINKS && holds_token) {
      highest[g] = head_gains[2u * HEAD_DIM + own_first_head + g];
      sum[g] = select(0.0, 1.0, subset == 0u);
    }
  }
  for (var tile = span_begin; tile < span_end; tile += TILE) {
    // Scores: a thread takes one position, and all the heads that share its key.
    let key_position = tile + thread;
    let visible = key_position >= begin && key_position < span_end;
    var dots = array<f32, GROUP>(); // spelt out: Chromium 156 does not zero a variable again when a loop comes round
    if (visible) {
      let index = key_index(slot, kv_head, key_position, 0u);
      let is_own = key_position == position;
      for (var c = 0u; c < CHUNKS; c += FLIGHT) {
        var keys: array<Eight, FLIGHT>;
        for (var i = 0u; i < FLIGHT; i++) {
          keys[i] = load_eight(index + (c + i) * PAGE);
        }
        for (var i = 0u; i < FLIGHT; i++) {
          let own = head_eight(GROUP, c + i);
          let low_keys = select(keys[i].low, own.low, is_own);
          let high_keys = select(keys[i].high, own.high, is_own);
          for (var g = 0u; g < GROUP; g++) {
            let query = head_eight(g, c + i);
            dots[g] += dot(query.low, low_keys) + dot(query.high, high_keys);
          }
        }
      }
    }
    for (var g = 0u; g < GROUP; g++) {
      scores[g * TILE + thread] = select(LOWEST, capped(dots[g] * SCALE), visible);
    }
    workgroupBarrier();
    for (var item = thread; item < GROUP * SPANS; item += WORKGROUP) {
      var best = LOWEST;
      for (var i = 0u; i < TILE / SPANS; i++) {
        best = max(best, scores[(item / SPANS) * TILE + i * SPANS + item % SPANS]);
      }
      span_max[item] = best;
    }
    workgroupBarrier();
    for (var g = 0u; g < GROUP; g++) {
      var best = highest[g];
      for (var i = 0u; i < SPANS; i++) {
        best = max(best, span_max[g * SPANS + i]);
      }
      let shrink = exp(highest[g] - best);
      highest[g] = best;
      sum[g] *= shrink;
      low[g] *= shrink;
      high[g] *= shrink;
      let score = scores[g * TILE + thread];
      scores[g * TILE + thread] = select(0.0, exp(score - best), score > LOWEST);
    }
    workgroupBarrier();
    // Values: a thread takes one chunk of dimensions and a subset of the positions.
    if (subset < SUBSETS) {
      let count = min(TILE, span_end - tile);
      for (var first = subset; first < count; first += 4u * SUBSETS) {
        var values: array<Eight, 4>;
        for (var i = 0u; i < 4u; i++) {
          values[i] = load_eight(value_index(slot, kv_head, tile + min(first + i * SUBSETS, count - 1u), chunk));
        }
        for (var i = 0u; i < 4u; i++) {
          let p = first + i * SUBSETS;
          if (p < count) {
            if (tile + p == position) {
              values[i] = own_value(m, chunk);
            }
            for (var g = 0u; g < GROUP; g++) {
              let weight = scores[g * TILE + p];
              sum[g] += weight;
              low[g] += weight * values[i].low;
              high[g] += weight * values[i].high;
            }
          }
        }
      }
    }
    workgroupBarrier();
  }

  // Add up the subsets, one head at a time.
  for (var g = 0u; g < GROUP; g++) {
    sums[2u * thread] = low[g];
    sums[2u * thread + 1u] = high[g];
    weights[thread] = sum[g];
    workgroupBarrier();
    for (var item = thread; item < 2u * CHUNKS; item += WORKGROUP) {
      var value = vec4f();
      var weight = 0.0;
      for (var s = 0u; s < SUBSETS; s++) {
        value += sums[2u * (s * CHUNKS) + item];
        weight += weights[s * CHUNKS + item / 2u];
      }
      write_output(m, own_first_head + g, workgroup.y, item, value, weight, highest[g]);
    }
    workgroupBarrier();
  }
}

fn write_output(m: u32, head: u32, split: u32, quad: u32, value: vec4f, weight: f32, highest: f32) {
  let base = (m * SPLITS + split) * OUTPUT_STRIDE + 4u * striped(head * HEAD_QUADS + quad, OUTPUT_STRIDE / 32u);
  var result = value;
  if (SPLITS == 1u) {
    result /= weight;
  } else if (quad == 0u) {
    split_stats[(m * HEADS + head) * SPLITS + split] = vec2f(highest, weight);
  }
  outputs[base] = result.x;
  outputs[base + 1u] = result.y;
  outputs[base + 2u] = result.z;
  outputs[base + 3u] = result.w;
}
