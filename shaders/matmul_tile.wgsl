// Y = X W^T for many rows of X: the matrix product of prefill. A workgroup of 64 threads computes 64 rows of X by 64 rows
// of W, 32 columns at a time through workgroup memory; a thread computes eight rows of X, eight apart, by eight
// neighbouring rows of W. Parts: block, step, weight_* (scales_*), input_*, bias_*, output_*, live_eighths. Constants: K, M, PART_ROWS,
// ROW_START.
const TILE = 64u;
const SIDE = 8u; // threads along an edge, and rows of each operand to a thread
var<workgroup> x_tile: array<vec4f, TILE * 8>;   // [TILE, 8 quads], swizzled
var<workgroup> w_tile: array<vec4f, TILE * 8>;   // [TILE, 8 quads], swizzled; row r lies at (r % 8) * 8 + r / 8

// Threads that read one quad of neighbouring rows find each in a bank of its own.
fn swizzled(row: u32, quad: u32) -> u32 {
  return row * 8u + (quad ^ (row % 8u));
}

// sum + W x for four rows of W, given as the columns of a matrix, one fused multiply-add for each product.
fn accumulate(sum: vec4f, x: vec4f, w: mat4x4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

fn emit_pair(m: u32, part_row: u32, value: vec2f) {
  if (part_row < PART_ROWS) {
    emit(m, ROW_START + part_row, value);
  }
}

fn emit_row(m: u32, part_row: u32, low: vec4f, high: vec4f) {
  let scale = input_scale(x_tile[m % TILE].x);
  emit_pair(m, part_row, scale * low.xy);
  emit_pair(m, part_row + 2u, scale * low.zw);
  emit_pair(m, part_row + 4u, scale * high.xy);
  emit_pair(m, part_row + 6u, scale * high.zw);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let w_first = workgroup.x * TILE;
  let x_first = workgroup.y * TILE;
  let live = live_eighths(x_first);
  let tx = thread % SIDE;
  let ty = thread / SIDE;
  let w_slot = (thread % SIDE) * SIDE + thread / SIDE; // where this thread puts the row of W that it loads
  var low = array<vec4f, 8>();  // [row of X]: rows 0 to 3 of W. All indices are spelt out: a loop's would leave the registers
  var high = array<vec4f, 8>(); // [row of X]: rows 4 to 7 of W
  var squares = 0.0;
  for (var block = 0u; block < K / 32u; block++) {
    if (thread < live * SIDE) {
      let loaded = load_inputs(x_first + thread, block);
      squares += loaded.squares;
      x_tile[swizzled(thread, 0u)] = loaded.x[0];
      x_tile[swizzled(thread, 1u)] = loaded.x[1];
      x_tile[swizzled(thread, 2u)] = loaded.x[2];
      x_tile[swizzled(thread, 3u)] = loaded.x[3];
      x_tile[swizzled(thread, 4u)] = loaded.x[4];
      x_tile[swizzled(thread, 5u)] = loaded.x[5];
      x_tile[swizzled(thread, 6u)] = loaded.x[6];
      x_tile[swizzled(thread, 7u)] = loaded.x[7];
    }
    let w = load_weights(min(w_first + thread, PART_ROWS - 1u), block);
    w_tile[swizzled(w_slot, 0u)] = w[0];
    w_tile[swizzled(w_slot, 1u)] = w[1];
    w_tile[swizzled(w_slot, 2u)] = w[2];
    w_tile[swizzled(w_slot, 3u)] = w[3];
    w_tile[swizzled(w_slot, 4u)] = w[4];
    w_tile[swizzled(w_slot, 5u)] = w[5];
    w_tile[swizzled(w_slot, 6u)] = w[6];
    w_tile[swizzled(w_slot, 7u)] = w[7];
    workgroupBarrier();
    for (var quad = 0u; quad < 8u; quad++) {
      let w_place = swizzled(tx, quad);
      let x_place = swizzled(ty, quad);
      let low_w = transpose(mat4x4f(w_tile[w_place], w_tile[w_place + 64u], w_tile[w_place + 128u], w_tile[w_place + 192u]));
      let high_w = transpose(mat4x4f(w_tile[w_place + 256u], w_tile[w_place + 320u], w_tile[w_place + 384u], w_tile[w_place + 448u]));
      let x0 = x_tile[x_place];
      let x1 = x_tile[x_place + 64u];
      let x2 = x_tile[x_place + 128u];
      let x3 = x_tile[x_place + 192u];
      low[0] = accumulate(low[0], x0, low_w);
      high[0] = accumulate(high[0], x0, high_w);
      low[1] = accumulate(low[1], x1, low_w);
      high[1] = accumulate(high[1], x1, high_w);
      low[2] = accumulate(low[2], x2, low_w);
      high[2] = accumulate(high[2], x2, high_w);
      low[3] = accumulate(low[3], x3, low_w);
      high[3] = accumulate(high[3], x3, high_w);
      if (live > 4u) {
        let x4 = x_tile[x_place + 256u];
        let x5 = x_tile[x_place + 320u];
        let x6 = x_tile[x_place + 384u];
        let x7 = x_tile[x_place + 448u];
        low[4] = accumulate(low[4], x4, low_w);
        high[4] = accumulate(high[4], x4, high_w);
        low[5] = accumulate(low[5], x5, low_w);
        high[5] = accumulate(high[5], x5, high_w);
        low[6] = accumulate(low[6], x6, low_w);
        high[6] = accumulate(high[6], x6, high_w);
        low[7] = accumulate(low[7], x7, low_w);
        high[7] = accumulate(high[7], x7, high_w);
      }
    }
    workgroupBarrier();
  }
  x_tile[thread].x = squares; // of row `thread`: the tiles fill all the memory there is, and are done with
  workgroupBarrier();
  let part_row = w_first + tx * SIDE;
  emit_row(x_first + ty, part_row, low[0], high[0]);
  if (live > 1u) {
    emit_row(x_first + 8u + ty, part_row, low[1], high[1]);
  }
  if (live > 2u) {
    emit_row(x_first + 16u + ty, part_row, low[2], high[2]);
  }
  if (live > 3u) {
    emit_row(x_first + 24u + ty, part_row, low[3], high[3]);
  }
  if (live > 4u) {
    emit_row(x_first + 32u + ty, part_row, low[4], high[4]);
  }
  if (live > 5u) {
    emit_row(x_first + 40u + ty, part_row, low[5], high[5]);
  }
  if (live > 6u) {
    emit_row(x_first + 48u + ty, part_row, low[6], high[6]);
  }
  if (live > 7u) {
    emit_row(x_first + 56u + ty, part_row, low[7], high[7]);
  }
}
