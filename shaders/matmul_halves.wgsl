// Y = X W^T for many rows of X, on units that multiply matrices of 16 by 16 half floats and add up in f32; the next columns are on
// their way while these are multiplied. Inputs come from pack_rows.wgsl, with a scale for every row. Parts: block, block_halves,
// unit_tiles, step, weight_* (scales_*), bias_*, output_*. Constants: K, PART_ROWS, ROW_START.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;

var<workgroup> results: array<f32, 4 * 256>;        // [subgroup, 16 rows of X, 16 rows of W]

// Hand on a matrix of results: half a row of it from every lane.
fn emit_matrix(sums: Sums, group: u32, lane: u32, m_first: u32, row_first: u32) {
  workgroupBarrier(); // what was stored before is read
  subgroupMatrixStore<row_major>(&results, 256u * group, sums, 16u);
  workgroupBarrier();
  let m = m_first + lane / 2u;
  let scale = packed_scales[m];
  let part_row = row_first + 8u * (lane % 2u);
  let place = 256u * group + 8u * lane;
  if (row_is_active(m)) {
    for (var i = 0u; i < 8u; i += 2u) {
      if (part_row + i < PART_ROWS) {
        emit(m, ROW_START + part_row + i, scale * vec2f(results[place + i], results[place + i + 1u]));
      }
    }
  }
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
  var sums = array<Sums, 4>();
  var x = load_x(own.x_source, own.x_eighth);
  var w = load_weights(own.w_source, own.w_block);
  for (var block = 0u; block < BLOCKS; block += 2u) {
    workgroupBarrier(); // the tiles before are done with
    store_x(own.x_own, x, block + own.x_eighth / 4u < BLOCKS);
    store_w(own.w_own, array(eight_halves(w[0], w[1]), eight_halves(w[2], w[3]), eight_halves(w[4], w[5]), eight_halves(w[6], w[7])));
    workgroupBarrier();
    x = load_x(own.x_source, min(4u * block + 8u + own.x_eighth, K / 8u - 1u));
    w = load_weights(own.w_source, min(block + 2u + own.w_block, BLOCKS - 1u));
    // Sixteen columns at a time, spelt out: a loop or a function takes a fifth longer.
    let x0 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place, STRIDE);
    let x1 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER, STRIDE);
    let w0 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place, STRIDE);
    let w1 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER, STRIDE);
    sums[0] = subgroupMatrixMultiplyAccumulate(x0, w0, sums[0]);
    sums[1] = subgroupMatrixMultiplyAccumulate(x0, w1, sums[1]);
    sums[2] = subgroupMatrixMultiplyAccumulate(x1, w0, sums[2]);
    sums[3] = subgroupMatrixMultiplyAccumulate(x1, w1, sums[3]);
    let x2 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + 2u, STRIDE);
    let x3 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER + 2u, STRIDE);
    let w2 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + 2u, STRIDE);
    let w3 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER + 2u, STRIDE);
    sums[0] = subgroupMatrixMultiplyAccumulate(x2, w2, sums[0]);
    sums[1] = subgroupMatrixMultiplyAccumulate(x2, w3, sums[1]);
    sums[2] = subgroupMatrixMultiplyAccumulate(x3, w2, sums[2]);
    sums[3] = subgroupMatrixMultiplyAccumulate(x3, w3, sums[3]);
    let x4 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + 4u, STRIDE);
    let x5 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER + 4u, STRIDE);
    let w4 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + 4u, STRIDE);
    let w5 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER + 4u, STRIDE);
    sums[0] = subgroupMatrixMultiplyAccumulate(x4, w4, sums[0]);
    sums[1] = subgroupMatrixMultiplyAccumulate(x4, w5, sums[1]);
    sums[2] = subgroupMatrixMultiplyAccumulate(x5, w4, sums[2]);
    sums[3] = subgroupMatrixMultiplyAccumulate(x5, w5, sums[3]);
    let x6 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + 6u, STRIDE);
    let x7 = subgroupMatrixLoad<Left, row_major>(&x_tile, x_place + LOWER + 6u, STRIDE);
    let w6 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + 6u, STRIDE);
    let w7 = subgroupMatrixLoad<Right, col_major>(&w_tile, w_place + LOWER + 6u, STRIDE);
    sums[0] = subgroupMatrixMultiplyAccumulate(x6, w6, sums[0]);
    sums[1] = subgroupMatrixMultiplyAccumulate(x6, w7, sums[1]);
    sums[2] = subgroupMatrixMultiplyAccumulate(x7, w6, sums[2]);
    sums[3] = subgroupMatrixMultiplyAccumulate(x7, w7, sums[3]);
  }
  let m = workgroup.y * TILE + x_part;
  let part_row = workgroup.x * TILE + w_part;
  emit_matrix(sums[0], group, lane, m, part_row);
  emit_matrix(sums[1], group, lane, m, part_row + 16u);
  emit_matrix(sums[2], group, lane, m + 16u, part_row);
  emit_matrix(sums[3], group, lane, m + 16u, part_row + 16u);
}
