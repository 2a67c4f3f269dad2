// The embedding of one token becomes row m of the residual stream. Constants: K, PART_ROWS, ROW_START, EMBED_SCALE.
@group(0) @binding(4) var<storage, read_write> hidden: array<vec4f>; // [M, K / 4]

// A part of a split table writes only the rows it holds.
fn embed(m: u32, token: u32, thread: u32, threads: u32) {
  if (token < ROW_START || token >= ROW_START + PART_ROWS) {
    return;
  }
  for (var block = thread; block < K / 32u; block += threads) {
    var w: Block;
    load_weights(token - ROW_START, block, &w);
    for (var i = 0u; i < 8u; i++) {
      hidden[m * (K / 4u) + 8u * block + i] = EMBED_SCALE * w[i];
    }
  }
}
