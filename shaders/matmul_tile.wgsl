// Y = X W^T for many rows of X: the matrix product of prefill. A workgroup of SIDE * SIDE threads computes a tile of
// TILE = 4 * SIDE rows of X by TILE rows of W, 32 columns at a time through workgroup memory. Parts: block,
// weight_* (scales_*), input_*, bias_*, output_*. Constants: K, SIDE, PART_ROWS, ROW_START.
const TILE = 4u * SIDE;
var<workgroup> x_tile: array<vec4f, TILE * 8>;   // [TILE, 32], quads of a row swizzled
var<workgroup> w_tile: array<vec4f, TILE * 8>;   // [TILE, 32], quads of a row swizzled

// Threads of a warp read rows four apart: the exclusive or sends them to different banks.
fn slot(row: u32, quad: u32) -> u32 {
  return row * 8u + (quad ^ ((row / 4u) & 7u));
}

@compute @workgroup_size(SIDE * SIDE)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let w_first = workgroup.x * TILE;
  let x_first = workgroup.y * TILE;
  let w_row = 4u * (thread % SIDE);
  let x_row = 4u * (thread / SIDE);
  var sums: array<vec4f, 4>; // [row of X], one component per row of W
  var squares = 0.0;
  for (var block = 0u; block < K / 32u; block++) {
    if (thread < TILE) {
      let loaded = load_inputs(x_first + thread, block);
      squares += loaded.squares;
      x_tile[slot(thread, 0u)] = loaded.x[0];
      x_tile[slot(thread, 1u)] = loaded.x[1];
      x_tile[slot(thread, 2u)] = loaded.x[2];
      x_tile[slot(thread, 3u)] = loaded.x[3];
      x_tile[slot(thread, 4u)] = loaded.x[4];
      x_tile[slot(thread, 5u)] = loaded.x[5];
      x_tile[slot(thread, 6u)] = loaded.x[6];
      x_tile[slot(thread, 7u)] = loaded.x[7];
    } else if (thread < 2u * TILE) {
      let row = thread - TILE;
      let w = load_weights(min(w_first + row, PART_ROWS - 1u), block);
      w_tile[slot(row, 0u)] = w[0];
      w_tile[slot(row, 1u)] = w[1];
      w_tile[slot(row, 2u)] = w[2];
      w_tile[slot(row, 3u)] = w[3];
      w_tile[slot(row, 4u)] = w[4];
      w_tile[slot(row, 5u)] = w[5];
      w_tile[slot(row, 6u)] = w[6];
      w_tile[slot(row, 7u)] = w[7];
    }
    workgroupBarrier();
    for (var quad = 0u; quad < 8u; quad++) {
      let w0 = w_tile[slot(w_row, quad)];
      let w1 = w_tile[slot(w_row + 1u, quad)];
      let w2 = w_tile[slot(w_row + 2u, quad)];
      let w3 = w_tile[slot(w_row + 3u, quad)];
      for (var i = 0u; i < 4u; i++) {
        let x = x_tile[slot(x_row + i, quad)];
        sums[i] += vec4f(dot(x, w0), dot(x, w1), dot(x, w2), dot(x, w3));
      }
    }
    workgroupBarrier();
  }
  // The tiles fill the 16 KiB that every device has, so the squares take the place of X once it is done with.
  if (thread < TILE) {
    x_tile[thread].x = squares;
  }
  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) {
    let scaled = sums[i] * input_scale(x_tile[x_row + i].x);
    for (var j = 0u; j < 4u; j += 2u) {
      if (w_first + w_row + j < PART_ROWS) {
        emit(x_first + x_row + i, ROW_START + w_first + w_row + j, vec2f(scaled[j], scaled[j + 1u]));
      }
    }
  }
}
