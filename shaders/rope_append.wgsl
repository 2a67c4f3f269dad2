// Prefill: normalise and rotate every query head in place, and append rotated keys and values to the cache. A workgroup
// takes one head of one row: HEADS queries, then KV_HEADS keys with their values. Parts: step, kv_pages, kv_*, rotate.
// Constants: HEADS, KV_HEADS, HEAD_DIM, QKV_STRIDE, WORKGROUP, VECTORS = 1.
@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;      // [M, QKV_STRIDE]: HEADS queries, KV_HEADS keys, KV_HEADS values

var<private> own_head: u32;

fn raw_head(m: u32, vector: u32, dim: u32) -> f32 {
  return qkv[m * QKV_STRIDE + own_head * HEAD_DIM + dim];
}

fn value_eight(i: u32) -> Eight {
  return Eight(vec4f(qkv[i], qkv[i + 1u], qkv[i + 2u], qkv[i + 3u]), vec4f(qkv[i + 4u], qkv[i + 5u], qkv[i + 6u], qkv[i + 7u]));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  let head = workgroup.x;
  let is_key = head >= HEADS;
  let base = m * QKV_STRIDE + head * HEAD_DIM;
  own_head = head;
  rotate_heads(m, thread, rows[m].y, select(1u, 0u, is_key));
  storageBarrier(); // every thread has read the raw head
  if (!is_key) {
    for (var dim = thread; dim < HEAD_DIM; dim += WORKGROUP) {
      qkv[base + dim] = heads[dim / 4u][dim % 4u];
    }
  } else {
    let chunk = min(thread, CHUNKS - 1u);
    append_row(rows[m].x, head - HEADS, rows[m].y, thread, head_eight(0u, chunk), value_eight(base + KV_HEADS * HEAD_DIM + 8u * chunk));
  }
}
