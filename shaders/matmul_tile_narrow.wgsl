// As matmul_tile.wgsl, for processors that play a GPU: a quarter of the tile, and loops where the wide one spells its
// statements out, because they take a tenth of the time to compile. A workgroup of 64 threads computes 32 rows of X by 32
// rows of W; a thread, four by four. Parts and constants as there.
const TILE = 32u;
var<workgroup> x_tile: array<vec4f, TILE * 8>;   // [TILE, 8 quads]
var<workgroup> w_tile: array<vec4f, TILE * 8>;   // [TILE, 8 quads]
var<workgroup> squares_tile: array<f32, TILE>;   // of each row of X

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let w_first = workgroup.x * TILE;
  let x_first = workgroup.y * TILE;
  let w_row = 4u * (thread % 8u);
  let x_row = 4u * (thread / 8u);
  var sums = array<vec4f, 4>(); // [row of X], one component per row of W
  var squares = 0.0;
  for (var block = 0u; block < K / 32u; block++) {
    if (thread >= TILE) {
      let row = thread - TILE;
      var w = load_weights(min(w_first + row, PART_ROWS - 1u), block);
      for (var quad = 0u; quad < 8u; quad++) {
        w_tile[row * 8u + quad] = w[quad];
      }
    } else if (row_is_active(x_first + thread)) {
      let loaded = load_inputs(x_first + thread, block);
      var x = loaded.x;
      squares += loaded.squares;
      for (var quad = 0u; quad < 8u; quad++) {
        x_tile[thread * 8u + quad] = x[quad];
      }
    }
    workgroupBarrier();
    for (var quad = 0u; quad < 8u; quad++) {
      let a = w_tile[w_row * 8u + quad];
      let b = w_tile[(w_row + 1u) * 8u + quad];
      let c = w_tile[(w_row + 2u) * 8u + quad];
      let d = w_tile[(w_row + 3u) * 8u + quad];
      for (var i = 0u; i < 4u; i++) {
        let x = x_tile[(x_row + i) * 8u + quad];
        sums[i] += vec4f(dot(x, a), dot(x, b), dot(x, c), dot(x, d));
      }
    }
    workgroupBarrier();
  }
  if (thread < TILE) {
    squares_tile[thread] = squares;
  }
  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) {
    let m = x_first + x_row + i;
    if (row_is_active(m)) {
      let scaled = sums[i] * input_scale(squares_tile[x_row + i]);
      for (var j = 0u; j < 4u; j += 2u) {
        if (w_first + w_row + j < PART_ROWS) {
          emit(m, ROW_START + w_first + w_row + j, vec2f(scaled[j], scaled[j + 1u]));
        }
      }
    }
  }
}
