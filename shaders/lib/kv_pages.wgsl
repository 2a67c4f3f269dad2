// Where a key or value lies. A page holds 64 positions of one layer. Keys lie transposed by chunks of eight dimensions,
// so that neighbouring threads, one position each, read neighbouring addresses; values lie by position, so that
// neighbouring threads, one chunk each, do. Where they have scales, those follow, by position. A key or value is what
// load_eight gives times its scale. Constants: KV_HEADS, HEAD_DIM, MAX_PAGES.
@group(0) @binding(9) var<storage, read> page_table: array<u32>;     // [slots, MAX_PAGES]: the page of every 64 positions

const PAGE = 64u;
const CHUNKS = HEAD_DIM / 8u;

// Eight neighbouring dimensions of a head.
struct Eight {
  low: vec4f,
  high: vec4f,
}

fn page_base(slot: u32, kv_head: u32, position: u32) -> u32 {
  let page = page_table[slot * MAX_PAGES + position / PAGE];
  return (page * KV_HEADS + kv_head) * (2u * PAGE * CHUNKS + SCALE_PLACES);
}

fn key_index(slot: u32, kv_head: u32, position: u32, chunk: u32) -> u32 {
  return page_base(slot, kv_head, position) + chunk * PAGE + position % PAGE;
}

fn value_index(slot: u32, kv_head: u32, position: u32, chunk: u32) -> u32 {
  return page_base(slot, kv_head, position) + PAGE * CHUNKS + (position % PAGE) * CHUNKS + chunk;
}

fn scales_index(slot: u32, kv_head: u32, position: u32) -> u32 {
  return page_base(slot, kv_head, position) + 2u * PAGE * CHUNKS + position % PAGE;
}
