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
      var x: Block;
      squares += load_input(x_first + thread, block, &x);
      for (var quad = 0u; quad < 8u; quad++) {
        x_tile[slot(thread, quad)] = x[quad];
      }
    } else if (thread < 2u * TILE) {
      var w: Block;
      load_weights(min(w_first + thread - TILE, PART_ROWS - 1u), block, &w);
      for (var quad = 0u; quad < 8u; quad++) {
        w_tile[slot(thread - TILE, quad)] = w[quad];
      }
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
