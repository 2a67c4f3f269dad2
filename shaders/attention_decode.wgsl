// Attention of one token of each sequence over its cache: a workgroup serves GROUP query heads that share a key-value
// head, over one of SPLITS spans of positions. It normalises and rotates its heads first; the workgroup whose span holds
// the token itself appends the token's key and value to the cache, and uses its own copy. Softmax is online (Milakov and
// Gimelshein; Dao et al., "FlashAttention"), in f32. Parts: step, kv_pages, kv_*, block, cap, rotate. Constants: HEADS,
// KV_HEADS, HEAD_DIM, GROUP (query heads of a workgroup, at most 4: the components of a vector), GROUPS (workgroups per key-value head), SPLITS, SCALE, CAP,
// SINKS, WINDOW (0 when off), QKV_STRIDE, OUTPUT_STRIDE, WORKGROUP, OWNS_KEYS (else the cache is another layer's, and
// complete), VECTORS = GROUP, and one more for the key that it owns.
@group(0) @binding(0) var<storage, read> qkv: array<f32>;            // [M, QKV_STRIDE]: HEADS queries, then KV_HEADS keys and values where OWNS_KEYS
@group(0) @binding(3) var<storage, read_write> outputs: array<f32>;  // [M, SPLITS, OUTPUT_STRIDE], striped
@group(0) @binding(4) var<storage, read_write> split_stats: array<vec2f>; // [M, HEADS, SPLITS]: maximum, sum of exponentials

const TILE = WORKGROUP;                      // positions scored at a time, one to a thread
const SUBSETS = max(WORKGROUP / CHUNKS, 1u); // threads that share a chunk of eight output dimensions
const QUADS = 2u * CHUNKS;                   // of a head
const SHARES = max(WORKGROUP / (GROUP * QUADS), 1u); // threads that add up the subsets of a quad
const SPANS = 16u;                           // parts of a tile whose maxima are found side by side
const LOWEST = -3.0e38;
var<workgroup> scores: array<vec4f, TILE>;              // a component for each head of the group; at the end, shares of quads
var<workgroup> span_max: array<vec4f, SPANS>;           // a component for each head of the group
var<workgroup> sums: array<vec4f, 2u * WORKGROUP>;      // [SUBSETS, QUADS] of one head
var<workgroup> subset_sums: array<vec4f, SUBSETS>;      // of exponentials, a component for each head
var<private> sum: vec4f;                     // of exponentials, by head
var<private> low: mat4x4f;                   // weighted values, a column for each head
var<private> high: mat4x4f;
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

// Scores of one chunk of a key, for all heads of the group. Heads are spelt out, here and below: numbers that a loop's
// variable indexes leave the registers.
fn chunk_dots(key: Eight, chunk: u32) -> vec4f {
  var dots = vec4f(head_dot(0u, chunk, key), 0.0, 0.0, 0.0);
  if (GROUP > 1u) {
    dots.y = head_dot(1u, chunk, key);
  }
  if (GROUP > 2u) {
    dots.z = head_dot(2u, chunk, key);
  }
  if (GROUP > 3u) {
    dots.w = head_dot(3u, chunk, key);
  }
  return dots;
}

fn head_dot(vector: u32, chunk: u32, key: Eight) -> f32 {
  let query = head_eight(vector, chunk);
  return dot(query.low, key.low) + dot(query.high, key.high);
}

fn key_dots(slot: u32, key_position: u32) -> vec4f {
  let scale = key_scale(slot, own_kv_head, key_position);
  let index = key_index(slot, own_kv_head, key_position, 0u);
  var dots = vec4f();
  var c = 0u;
  for (; c + 3u < CHUNKS; c += 4u) {
    // Four loads are on their way before the first is used.
    let a = load_eight(index + c * PAGE);
    let b = load_eight(index + (c + 1u) * PAGE);
    let d = load_eight(index + (c + 2u) * PAGE);
    let e = load_eight(index + (c + 3u) * PAGE);
    dots += chunk_dots(a, c) + chunk_dots(b, c + 1u) + chunk_dots(d, c + 2u) + chunk_dots(e, c + 3u);
  }
  for (; c < CHUNKS; c++) {
    dots += chunk_dots(load_eight(index + c * PAGE), c);
  }
  return scale * dots;
}

// The token's own key is not in the cache yet.
fn own_key_dots() -> vec4f {
  var dots = vec4f();
  for (var c = 0u; c < CHUNKS; c++) {
    dots += chunk_dots(head_eight(GROUP, c), c);
  }
  return dots;
}

fn add_value(value: Eight, weight: vec4f, scale: f32) {
  sum += weight;
  let scaled = scale * weight;
  low[0] += scaled.x * value.low;
  high[0] += scaled.x * value.high;
  if (GROUP > 1u) {
    low[1] += scaled.y * value.low;
    high[1] += scaled.y * value.high;
  }
  if (GROUP > 2u) {
    low[2] += scaled.z * value.low;
    high[2] += scaled.z * value.high;
  }
  if (GROUP > 3u) {
    low[3] += scaled.w * value.low;
    high[3] += scaled.w * value.high;
  }
}

// Values of the cached positions of a tile: a thread takes one chunk of dimensions and a subset of the positions.
fn add_values(slot: u32, tile: u32, count: u32, thread: u32) {
  let chunk = thread % CHUNKS;
  var p = thread / CHUNKS;
  for (; p + 3u * SUBSETS < count; p += 4u * SUBSETS) {
    let a = load_eight(value_index(slot, own_kv_head, tile + p, chunk));
    let b = load_eight(value_index(slot, own_kv_head, tile + p + SUBSETS, chunk));
    let d = load_eight(value_index(slot, own_kv_head, tile + p + 2u * SUBSETS, chunk));
    let e = load_eight(value_index(slot, own_kv_head, tile + p + 3u * SUBSETS, chunk));
    add_value(a, scores[p], value_scale(slot, own_kv_head, tile + p));
    add_value(b, scores[p + SUBSETS], value_scale(slot, own_kv_head, tile + p + SUBSETS));
    add_value(d, scores[p + 2u * SUBSETS], value_scale(slot, own_kv_head, tile + p + 2u * SUBSETS));
    add_value(e, scores[p + 3u * SUBSETS], value_scale(slot, own_kv_head, tile + p + 3u * SUBSETS));
  }
  for (; p < count; p += SUBSETS) {
    add_value(load_eight(value_index(slot, own_kv_head, tile + p, chunk)), scores[p], value_scale(slot, own_kv_head, tile + p));
  }
}

// Add up one head's values over the subsets, in SHARES parts that stay in `scores`, or whole.
fn add_subsets(m: u32, vector: u32, split: u32, thread: u32, own_low: vec4f, own_high: vec4f, highest: vec4f) {
  sums[2u * thread] = own_low;
  sums[2u * thread + 1u] = own_high;
  workgroupBarrier();
  for (var item = thread; item < SHARES * QUADS; item += WORKGROUP) {
    var value = vec4f();
    for (var subset = item / QUADS; subset < SUBSETS; subset += SHARES) {
      value += sums[subset * QUADS + item % QUADS];
    }
    if (SHARES > 1u) {
      scores[vector * SHARES * QUADS + item] = value;
    } else {
      write_output(m, vector, split, item, value, highest);
    }
  }
  workgroupBarrier();
}

// Add up the shares of all heads, and write them.
fn write_shares(m: u32, split: u32, thread: u32, highest: vec4f) {
  if (SHARES > 1u && thread < GROUP * QUADS) {
    let vector = thread / QUADS;
    var value = vec4f();
    for (var share = 0u; share < SHARES; share++) {
      value += scores[(vector * SHARES + share) * QUADS + thread % QUADS];
    }
    write_output(m, vector, split, thread % QUADS, value, highest);
  }
}

// Write a quad of a head that is added up. What its exponentials add up to each thread finds by itself: all wait as long.
fn write_output(m: u32, vector: u32, split: u32, quad: u32, value: vec4f, highest: vec4f) {
  var weights = vec4f();
  for (var subset = 0u; subset < SUBSETS; subset++) {
    weights += subset_sums[subset];
  }
  let head = own_first_head + vector;
  let weight = component(weights, vector);
  let base = (m * SPLITS + split) * OUTPUT_STRIDE + 4u * striped(head * HEAD_QUADS + quad, OUTPUT_STRIDE / 32u);
  var result = value;
  if (SPLITS == 1u) {
    result /= weight;
  } else if (quad == 0u) {
    split_stats[(m * HEADS + head) * SPLITS + split] = vec2f(component(highest, vector), weight);
  }
  outputs[base] = result.x;
  outputs[base + 1u] = result.y;
  outputs[base + 2u] = result.z;
  outputs[base + 3u] = result.w;
}

// By choosing, since what a variable indexes leaves the registers.
fn component(a: vec4f, i: u32) -> f32 {
  return select(select(a.x, a.y, i == 1u), select(a.z, a.w, i == 3u), i > 1u);
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
  let owner = OWNS_KEYS && workgroup.x % GROUPS == 0u && span_begin <= position && span_end == position + 1u;
  if (owner) {
    let chunk = min(thread, CHUNKS - 1u);
    append_row(slot, kv_head, position, thread, head_eight(GROUP, chunk), own_value(m, chunk));
  }

  let subset = thread / CHUNKS;
  let holds_token = span_begin <= position && span_end == position + 1u;
  var highest = vec4f(LOWEST);
  if (SINKS && holds_token) {
    let first = 2u * HEAD_DIM + own_first_head; // a sink past the group is read and not used
    highest = vec4f(head_gains[first], head_gains[first + 1u], head_gains[first + 2u], head_gains[first + 3u]);
    sum = vec4f(select(0.0, 1.0, subset == 0u));
  }
  for (var tile = span_begin; tile < span_end; tile += TILE) {
    // Scores: a thread takes one position, and all the heads that share its key.
    let key_position = tile + thread;
    var own = vec4f(LOWEST);
    if (key_position >= begin && key_position < span_end) {
      if (OWNS_KEYS && key_position == position) {
        own = own_key_dots();
      } else {
        own = key_dots(slot, key_position);
      }
      own = vec4f(capped(own.x * SCALE), capped(own.y * SCALE), capped(own.z * SCALE), capped(own.w * SCALE));
    }
    scores[thread] = own;
    workgroupBarrier();
    if (thread < SPANS) {
      var best = vec4f(LOWEST);
      for (var i = 0u; i < TILE / SPANS; i++) {
        best = max(best, scores[i * SPANS + thread]);
      }
      span_max[thread] = best;
    }
    workgroupBarrier();
    var best = highest;
    for (var i = 0u; i < SPANS; i++) {
      best = max(best, span_max[i]);
    }
    let shrink = exp(highest - best);
    highest = best;
    sum *= shrink;
    low = mat4x4f(shrink.x * low[0], shrink.y * low[1], shrink.z * low[2], shrink.w * low[3]);
    high = mat4x4f(shrink.x * high[0], shrink.y * high[1], shrink.z * high[2], shrink.w * high[3]);
    scores[thread] = select(vec4f(), exp(own - best), own > vec4f(LOWEST));
    workgroupBarrier();
    let cached = min(tile + TILE, select(span_end, min(span_end, position), OWNS_KEYS)) - tile;
    if (subset < SUBSETS) {
      add_values(slot, tile, cached, thread);
    }
    if (OWNS_KEYS && subset == 0u && tile + cached == position && cached < TILE && holds_token) {
      add_value(own_value(m, thread % CHUNKS), scores[cached], 1.0);
    }
    workgroupBarrier();
  }

  if (subset < SUBSETS && thread % CHUNKS == 0u) {
    subset_sums[subset] = sum;
  }
  add_subsets(m, 0u, workgroup.y, thread, low[0], high[0], highest);
  if (GROUP > 1u) {
    add_subsets(m, 1u, workgroup.y, thread, low[1], high[1], highest);
  }
  if (GROUP > 2u) {
    add_subsets(m, 2u, workgroup.y, thread, low[2], high[2], highest);
  }
  if (GROUP > 3u) {
    add_subsets(m, 3u, workgroup.y, thread, low[3], high[3], highest);
  }
  write_shares(m, workgroup.y, thread, highest);
}
