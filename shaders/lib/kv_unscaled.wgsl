// Keys and values that are stored as they are. Parts: kv_pages, kv_f16 or kv_f32.
const SCALE_PLACES = 0u;

fn key_scale(slot: u32, kv_head: u32, position: u32) -> f32 {
  return 1.0;
}

fn value_scale(slot: u32, kv_head: u32, position: u32) -> f32 {
  return 1.0;
}

fn append_row(slot: u32, kv_head: u32, position: u32, thread: u32, key: Eight, value: Eight) {
  if (thread < CHUNKS) {
    store_eight(key_index(slot, kv_head, position, thread), key);
    store_eight(value_index(slot, kv_head, position, thread), value);
  }
}
