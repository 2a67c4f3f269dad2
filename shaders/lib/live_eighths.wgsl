// Eighths of the tile whose rows of X are in use: a chunk's rows come first, and what is past them is skipped.
// Parts: step. Constants: SIDE.
fn live_eighths(x_first: u32) -> u32 {
  var live = 0u;
  for (var i = 0u; i < SIDE; i++) {
    live += rows[x_first + i * SIDE].w;
  }
  return live;
}
