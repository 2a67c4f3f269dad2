// Attention of one token of each sequence over its cache: a workgroup serves GROUP query heads that share a key-value
// head, over one of SPLITS spans of positions. It normalises and rotates its heads first; the workgroup whose span holds
// the token itself appends the token's key and value to the cache, and uses its own copy. Softmax is online (Milakov and
// Gimelshein; Dao et al., "FlashAttention"), in f32. Parts: step, kv_pages, kv_*, rotate. Constants: HEADS, KV_HEADS,
// HEAD_DIM, GROUP (query heads of a workgroup), GROUPS (workgroups per key-value head), SPLITS, SCALE, WINDOW (0 when
// off), QKV_STRIDE, OUTPUT_STRIDE, WORKGROUP (a multiple of 64), VECTORS = GROUP + 1.
@group(0) @binding(0) var<storage, read> qkv: array<f32>;            // [M, QKV_STRIDE]: HEADS queries, KV_HEADS keys, KV_HEADS values
@group(0) @binding(3) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], or [M, HEADS, SPLITS, HEAD_DIM] when split
@group(0) @binding(4) var<storage, read_write> split_stats: array<vec2f>; // [M, HEADS, SPLITS]: maximum, sum of exponentials

const TILE = 64u;                       // positions scored at a time, one page
const SUBSETS = max(WORKGROUP / CHUNKS, 1u); // threads that share a chunk of eight output dimensions
const LOWEST = -3.0e38;
var<workgroup> scores: array<f32, GROUP * TILE>;
var<workgroup> tile_max: array<f32, GROUP * 8>;
var<workgroup> sums: array<vec4f, 2u * WORKGROUP>;
var<workgroup> weights: array<f32, WORKGROUP>;

// Copy the group's queries and its key into `heads`.
fn load_heads(m: u32, kv_head: u32, first_head: u32, thread: u32) {
  for (var item = thread; item < GROUP * HEAD_DIM; item += WORKGROUP) {
    heads[item] = qkv[m * QKV_STRIDE + first_head * HEAD_DIM + item];
  }
  for (var dim = thread; dim < HEAD_DIM; dim += WORKGROUP) {
    heads[GROUP * HEAD_DIM + dim] = qkv[m * QKV_STRIDE + (HEADS + kv_head) * HEAD_DIM + dim];
  }
}

fn head_eight(vector: u32, chunk: u32) -> Eight {
  let i = vector * HEAD_DIM + 8u * chunk;
  return Eight(vec4f(heads[i], heads[i + 1u], heads[i + 2u], heads[i + 3u]), vec4f(heads[i + 4u], heads[i + 5u], heads[i + 6u], heads[i + 7u]));
}

fn own_value(m: u32, kv_head: u32, chunk: u32) -> Eight {
  let i = m * QKV_STRIDE + (HEADS + KV_HEADS + kv_head) * HEAD_DIM + 8u * chunk;
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
  let first_head = workgroup.x * GROUP;
  load_heads(m, kv_head, first_head, thread);
  rotate_heads(thread, position, GROUP);

  // The span of this split, in whole tiles.
  let begin = select(0u, position + 1u - WINDOW, WINDOW > 0u && position >= WINDOW);
  let first_tile = begin / TILE;
  let tiles = position / TILE + 1u - first_tile;
  let span = (tiles + SPLITS - 1u) / SPLITS;
  let tile_begin = first_tile + min(workgroup.y * span, tiles);
  let tile_end = first_tile + min((workgroup.y + 1u) * span, tiles);
  let owner = workgroup.x % GROUPS == 0u && tile_begin < tile_end && tile_end == first_tile + tiles;
  if (owner && thread < CHUNKS) {
    store_eight(key_index(slot, kv_head, position, thread), head_eight(GROUP, thread));
    store_eight(value_index(slot, kv_head, position, thread), own_value(m, kv_head, thread));
  }

  var highest: array<f32, GROUP>;
  var sum: array<f32, GROUP>;
  var low: array<vec4f, GROUP>;
  var high: array<vec4f, GROUP>;
  for (var g = 0u; g < GROUP; g++) {
    highest[g] = LOWEST;
  }
  let chunk = thread % CHUNKS;
  let subset = thread / CHUNKS;
  for (var tile = tile_begin; tile < tile_end; tile++) {
    // Scores: a thread takes one position and a share of the heads.
    let key_position = tile * TILE + thread % TILE;
    let visible = key_position >= begin && key_position <= position;
    var dots = array<f32, GROUP>(); // spelt out: Chromium 156 does not zero a variable again when a loop comes round
    if (visible) {
      for (var c = 0u; c < CHUNKS; c++) {
        var key: Eight;
        if (key_position == position) {
          key = head_eight(GROUP, c);
        } else {
          key = load_eight(key_index(slot, kv_head, key_position, c));
        }
        for (var g = thread / TILE; g < GROUP; g += WORKGROUP / TILE) {
          let query = head_eight(g, c);
          dots[g] += dot(query.low, key.low) + dot(query.high, key.high);
        }
      }
    }
    for (var g = thread / TILE; g < GROUP; g += WORKGROUP / TILE) {
      scores[g * TILE + thread % TILE] = select(LOWEST, dots[g] * SCALE, visible);
    }
    workgroupBarrier();
    for (var item = thread; item < GROUP * 8u; item += WORKGROUP) {
      var best = LOWEST;
      for (var i = 0u; i < 8u; i++) {
        best = max(best, scores[(item / 8u) * TILE + 8u * (item % 8u) + i]);
      }
      tile_max[item] = best;
    }
    workgroupBarrier();
    for (var g = 0u; g < GROUP; g++) {
      var best = highest[g];
      for (var i = 0u; i < 8u; i++) {
        best = max(best, tile_max[g * 8u + i]);
      }
      let shrink = exp(highest[g] - best);
      highest[g] = best;
      sum[g] *= shrink;
      low[g] *= shrink;
      high[g] *= shrink;
    }
    for (var item = thread; item < GROUP * TILE; item += WORKGROUP) {
      var best = LOWEST;
      for (var g = 0u; g < GROUP; g++) {
        best = select(best, highest[g], g == item / TILE);
      }
      scores[item] = select(0.0, exp(scores[item] - best), scores[item] > LOWEST);
    }
    workgroupBarrier();
    // Values: a thread takes one chunk of dimensions and a subset of the positions.
    if (subset < SUBSETS) {
      let tile_last = min(TILE, position + 1u - tile * TILE);
      for (var p = subset; p < tile_last; p += SUBSETS) {
        var value: Eight;
        if (tile * TILE + p == position) {
          value = own_value(m, kv_head, chunk);
        } else {
          value = load_eight(value_index(slot, kv_head, tile * TILE + p, chunk));
        }
        for (var g = 0u; g < GROUP; g++) {
          let weight = scores[g * TILE + p];
          sum[g] += weight;
          low[g] += weight * value.low;
          high[g] += weight * value.high;
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
      write_output(m, first_head + g, workgroup.y, item, value, weight, highest[g]);
    }
    workgroupBarrier();
  }
}

fn write_output(m: u32, head: u32, split: u32, quad: u32, value: vec4f, weight: f32, highest: f32) {
  var base = m * OUTPUT_STRIDE + head * HEAD_DIM + 4u * quad;
  var result = value;
  if (SPLITS == 1u) {
    result /= weight;
  } else {
    let part = (m * HEADS + head) * SPLITS + split;
    base = part * HEAD_DIM + 4u * quad;
    if (quad == 0u) {
      split_stats[part] = vec2f(highest, weight);
    }
  }
  outputs[base] = result.x;
  outputs[base + 1u] = result.y;
  outputs[base + 2u] = result.z;
  outputs[base + 3u] = result.w;
}
