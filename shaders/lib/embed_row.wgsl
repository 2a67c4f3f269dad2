// The embedding of one token becomes row m of the residual stream. Constants: K, PART_ROWS, ROW_START, EMBED_SCALE.
@group(0) @binding(4) var<storage, read_write> hidden: array<vec4f>; // [M, K / 4], striped

// A part of a split table writes only the rows it holds.
fn embed(m: u32, token: u32, thread: u32, threads: u32) {
  if (token < ROW_START || token >= ROW_START + PART_ROWS) {
    return;
  }
  for (var block = thread; block < K / 32u; block += threads) {
    let w = load_weights(token - ROW_START, block);
    const BLOCKS = K / 32u;
    let first = m * (K / 4u) + block;
    hidden[first] = EMBED_SCALE * w[0];
    hidden[first + BLOCKS] = EMBED_SCALE * w[1];
    hidden[first + 2u * BLOCKS] = EMBED_SCALE * w[2];
    hidden[first + 3u * BLOCKS] = EMBED_SCALE * w[3];
    hidden[first + 4u * BLOCKS] = EMBED_SCALE * w[4];
    hidden[first + 5u * BLOCKS] = EMBED_SCALE * w[5];
    hidden[first + 6u * BLOCKS] = EMBED_SCALE * w[6];
    hidden[first + 7u * BLOCKS] = EMBED_SCALE * w[7];
  }
}
