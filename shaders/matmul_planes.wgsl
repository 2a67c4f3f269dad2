// As matmul_halves.wgsl, on units that multiply matrices of bytes and add up in i32: inputs and weights are codes of 16 bits with a scale
// for every row, in planes of bytes, each of which meets both of the other's. Sums of a whole row fit: K is at most 65536. Parts: block,
// code_planes, block_planes, unit_tiles, step, weight_affine, codes_*, scales_*, bias_*, output_*. Constants: K, PART_ROWS, ROW_START.
alias Left = subgroup_matrix_left<i8, 32, 16>;
alias Right = subgroup_matrix_right<i8, 16, 32>;
alias Sums = subgroup_matrix_result<i32, 16, 16>;

var<workgroup> w_scales: array<f32, TILE>;          // [TILE]
var<workgroup> results: array<i32, 4 * 3 * 256>;    // [subgroup, high, mixed and low products, 16 rows of X, 16 rows of W]

// No weight of a block is larger.
fn weight_bound(row: u32, block: u32) -> f32 {
  let affine = scale_and_bias(load_pair(row, block));
  return max(abs(affine.y), abs(fma(LARGEST_CODE, affine.x, affine.y)));
}

// Hand on a matrix of results, in its three parts: half a row of it from every lane.
fn emit_matrix(high: Sums, mixed: Sums, low: Sums, group: u32, lane: u32, m_first: u32, row_first: u32, slot: u32) {
  workgroupBarrier(); // what was stored before is read
  let own = 768u * group;
  subgroupMatrixStore<row_major>(&results, own, high, 16u);
  subgroupMatrixStore<row_major>(&results, own + 256u, mixed, 16u);
  subgroupMatrixStore<row_major>(&results, own + 512u, low, 16u);
  workgroupBarrier();
  let m = m_first + lane / 2u;
  let scale = packed_scales[m];
  let column = 8u * (lane % 2u);
  let part_row = row_first + column;
  let place = own + 8u * lane;
  if (row_is_active(m)) {
    for (var i = 0u; i < 8u; i += 2u) {
      if (part_row + i < PART_ROWS) {
        emit(m, ROW_START + part_row + i, scale * vec2f(w_scales[slot + column + i] * joined(place + i), w_scales[slot + column + i + 1u] * joined(place + i + 1u)));
      }
    }
  }
}

fn joined(place: u32) -> f32 {
  return fma(65536.0, f32(results[place]), fma(256.0, f32(results[place + 256u]), f32(results[place + 512u])));
}

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) group: u32, @builtin(subgroup_invocation_id) lane: u32,
) {
  let own = places(workgroup, thread);
  // What its subgroup computes: two matrices of X by two of W.
  let x_part = 32u * (group / 2u);
  let w_part = 32u * (group % 2u);
  let x_place = x_part * STRIDE;
  let w_place = w_part * STRIDE;
  var bound = 0.0;
  for (var block = 0u; block < BLOCKS; block += 2u) {
    bound = max(bound, weight_bound(own.w_source, min(block + own.w_block, BLOCKS - 1u)));
  }
  bound = max(bound, subgroupShuffleXor(bound, 1u)); // the row's other blocks are its neighbour's
  if (own.w_block == 0u) {
    w_scales[thread / 2u] = bound / PLANES_PEAK;
  }
  let inverse = select(0.0, PLANES_PEAK / bound, bound > 1e-30);
  var high = array<Sums, 4>();
  var mixed = array<Sums, 4>();
  var low = array<Sums, 4>();
  var x = load_x(own.x_source, own.x_eighth);
  var w = fetch_weights(own.w_source, own.w_block);
  for (var block = 0u; block < BLOCKS; block += 2u) {
    let affine = scale_and_bias(w.pair);
    let codes = packed_block(block_scale(code_block(w.codes), affine.x, affine.y), inverse);
    workgroupBarrier(); // the tiles before are done with
    store_x(own.x_own, x, block + own.x_eighth / 4u < BLOCKS);
    store_w(own.w_own, codes);
    workgroupBarrier();
    x = load_x(own.x_source, min(4u * block + 8u + own.x_eighth, K / 8u - 1u));
    w = fetch_weights(own.w_source, min(block + 2u + own.w_block, BLOCKS - 1u));
    // A block at a time, spelt out: a loop or a function takes a fifth longer.
    let xh0 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place, STRIDE);
    let xl0 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + 2u, STRIDE);
    let xh1 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER, STRIDE);
    let xl1 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER + 2u, STRIDE);
    let wh0 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place, STRIDE);
    let wl0 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + 2u, STRIDE);
    let wh1 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER, STRIDE);
    let wl1 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER + 2u, STRIDE);
    high[0] = subgroupMatrixMultiplyAccumulate(xh0, wh0, high[0]);
    high[1] = subgroupMatrixMultiplyAccumulate(xh0, wh1, high[1]);
    high[2] = subgroupMatrixMultiplyAccumulate(xh1, wh0, high[2]);
    high[3] = subgroupMatrixMultiplyAccumulate(xh1, wh1, high[3]);
    mixed[0] = subgroupMatrixMultiplyAccumulate(xh0, wl0, subgroupMatrixMultiplyAccumulate(xl0, wh0, mixed[0]));
    mixed[1] = subgroupMatrixMultiplyAccumulate(xh0, wl1, subgroupMatrixMultiplyAccumulate(xl0, wh1, mixed[1]));
    mixed[2] = subgroupMatrixMultiplyAccumulate(xh1, wl0, subgroupMatrixMultiplyAccumulate(xl1, wh0, mixed[2]));
    mixed[3] = subgroupMatrixMultiplyAccumulate(xh1, wl1, subgroupMatrixMultiplyAccumulate(xl1, wh1, mixed[3]));
    low[0] = subgroupMatrixMultiplyAccumulate(xl0, wl0, low[0]);
    low[1] = subgroupMatrixMultiplyAccumulate(xl0, wl1, low[1]);
    low[2] = subgroupMatrixMultiplyAccumulate(xl1, wl0, low[2]);
    low[3] = subgroupMatrixMultiplyAccumulate(xl1, wl1, low[3]);
    let xh2 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + 4u, STRIDE);
    let xl2 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + 6u, STRIDE);
    let xh3 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER + 4u, STRIDE);
    let xl3 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER + 6u, STRIDE);
    let wh2 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + 4u, STRIDE);
    let wl2 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + 6u, STRIDE);
    let wh3 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER + 4u, STRIDE);
    let wl3 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER + 6u, STRIDE);
    high[0] = subgroupMatrixMultiplyAccumulate(xh2, wh2, high[0]);
    high[1] = subgroupMatrixMultiplyAccumulate(xh2, wh3, high[1]);
    high[2] = subgroupMatrixMultiplyAccumulate(xh3, wh2, high[2]);
    high[3] = subgroupMatrixMultiplyAccumulate(xh3, wh3, high[3]);
    mixed[0] = subgroupMatrixMultiplyAccumulate(xh2, wl2, subgroupMatrixMultiplyAccumulate(xl2, wh2, mixed[0]));
    mixed[1] = subgroupMatrixMultiplyAccumulate(xh2, wl3, subgroupMatrixMultiplyAccumulate(xl2, wh3, mixed[1]));
    mixed[2] = subgroupMatrixMultiplyAccumulate(xh3, wl2, subgroupMatrixMultiplyAccumulate(xl3, wh2, mixed[2]));
    mixed[3] = subgroupMatrixMultiplyAccumulate(xh3, wl3, subgroupMatrixMultiplyAccumulate(xl3, wh3, mixed[3]));
    low[0] = subgroupMatrixMultiplyAccumulate(xl2, wl2, low[0]);
    low[1] = subgroupMatrixMultiplyAccumulate(xl2, wl3, low[1]);
    low[2] = subgroupMatrixMultiplyAccumulate(xl3, wl2, low[2]);
    low[3] = subgroupMatrixMultiplyAccumulate(xl3, wl3, low[3]);
  }
  let m = workgroup.y * TILE + x_part;
  let part_row = workgroup.x * TILE + w_part;
  emit_matrix(high[0], mixed[0], low[0], group, lane, m, part_row, w_part);
  emit_matrix(high[1], mixed[1], low[1], group, lane, m, part_row + 16u, w_part + 16u);
  emit_matrix(high[2], mixed[2], low[2], group, lane, m + 16u, part_row, w_part);
  emit_matrix(high[3], mixed[3], low[3], group, lane, m + 16u, part_row + 16u, w_part + 16u);
}
