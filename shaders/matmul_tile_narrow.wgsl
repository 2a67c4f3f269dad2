// As matmul_tile.wgsl, for processors that play a GPU. Their caches do what workgroup memory does elsewhere, and every
// barrier, and every byte of that memory, costs them time to compile. A workgroup of 32 threads computes 32 rows of X by
// 32 rows of W; a thread, eight by four. Parts and constants as there.
const TILE = 32u;
const X_ROWS = 8u; // of a thread

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let w_row = workgroup.x * TILE + 4u * (thread % 8u);
  let x_row = workgroup.y * TILE + X_ROWS * (thread / 8u);
  const LAST = PART_ROWS - 1u; // a row past the end repeats it and is not emitted
  var sums: array<vec4f, X_ROWS>; // one component per row of W
  var squares: array<f32, X_ROWS>;
  for (var block = 0u; block < K / 32u; block++) {
    let a = load_weights(min(w_row, LAST), block);
    let b = load_weights(min(w_row + 1u, LAST), block);
    let c = load_weights(min(w_row + 2u, LAST), block);
    let d = load_weights(min(w_row + 3u, LAST), block);
    for (var i = 0u; i < X_ROWS; i++) {
      if (row_is_active(x_row + i)) {
        let loaded = load_inputs(x_row + i, block);
        squares[i] += loaded.squares;
        sums[i] += vec4f(block_dot(a, loaded.x), block_dot(b, loaded.x), block_dot(c, loaded.x), block_dot(d, loaded.x));
      }
    }
  }
  for (var i = 0u; i < X_ROWS; i++) {
    if (row_is_active(x_row + i)) {
      let scaled = sums[i] * input_scale(squares[i]);
      for (var j = 0u; j < 4u; j += 2u) {
        if (w_row + j < PART_ROWS) {
          emit(x_row + i, ROW_START + w_row + j, vec2f(scaled[j], scaled[j + 1u]));
        }
      }
    }
  }
}
