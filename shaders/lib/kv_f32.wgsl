// Keys and values as f32: for tests, and for those who ask for it.
@group(0) @binding(8) var<storage, read_write> kv: array<vec4f>;     // [pages, KV_HEADS, K then V, 64 * CHUNKS, 2]

fn load_eight(index: u32) -> Eight {
  return Eight(kv[2u * index], kv[2u * index + 1u]);
}

fn store_eight(index: u32, value: Eight) {
  kv[2u * index] = value.low;
  kv[2u * index + 1u] = value.high;
}
