// Y = X W^T for many rows of X, on units that multiply matrices of 16 by 16 half floats and add up in f32. Four subgroups of 32 lanes
// compute 64 rows of X by 64 rows of W, 32 by 32 each, 64 columns at a time through workgroup memory; the next columns are on their
// way while these are multiplied. Inputs come from pack_rows.wgsl. Parts: block, block_halves, step, weight_* (scales_*), bias_*, output_*.
// Constants: K, PART_ROWS, ROW_START.
@group(0) @binding(0) var<storage, read> halves: array<vec4u>;       // [M, K / 8], two to a word
@group(0) @binding(1) var<storage, read> half_scales: array<f32>;    // [M]

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;

const TILE = 64u;
const BLOCKS = K / 32u;
const STRIDE = 9u; // from row to row of a tile, by eight halves: 64 columns, and eight more that put neighbouring rows into other banks
const LOWER = 16u * STRIDE; // from a matrix to the one below it
var<workgroup> x_tile: array<vec4u, TILE * STRIDE>; // [TILE, STRIDE], eight halves each
var<workgroup> w_tile: array<vec4u, TILE * STRIDE>; // [TILE, STRIDE], likewise
var<workgroup> results: array<f32, 4 * 256>;        // [subgroup, 16 rows of X, 16 rows of W]

// Eight inputs of four rows, sixteen apart.
fn load_x(row: u32, eighth: u32) -> array<vec4u, 4> {
  let first = row * (K / 8u) + eighth;
  return array(halves[first], halves[first + 2u * K], halves[first + 4u * K], halves[first + 6u * K]);
}

// Hand on a matrix of results: half a row of it from every lane.
fn emit_matrix(sums: Sums, group: u32, lane: u32, m_first: u32, row_first: u32) {
  workgroupBarrier(); // what was stored before is read
  subgroupMatrixStore<row_major>(&results, 256u * group, sums, 16u);
  workgroupBarrier();
  let m = m_first + lane / 2u;
  let scale = half_scales[m];
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
  let w_first = workgroup.x * TILE;
  let x_first = workgroup.y * TILE;
  // What this thread brings: eight inputs of four rows, and a block of a row of W.
  let x_eighth = thread % 8u;
  let x_source = x_first + thread / 8u;
  let x_own = thread / 8u * STRIDE + x_eighth;
  let w_block = thread % 2u;
  let w_source = min(w_first + thread / 2u, PART_ROWS - 1u);
  let w_own = thread / 2u * STRIDE + 4u * w_block;
  // What its subgroup computes: two matrices of X by two of W.
  let x_part = 32u * (group / 2u);
  let w_part = 32u * (group % 2u);
  let x_place = x_part * STRIDE;
  let w_place = w_part * STRIDE;
  var sums = array<Sums, 4>();
  var x = load_x(x_source, x_eighth);
  var w = load_weights(w_source, w_block);
  for (var block = 0u; block < BLOCKS; block += 2u) {
    let is_inside = block + x_eighth / 4u < BLOCKS; // the last of an odd number of blocks has no second one beside it
    workgroupBarrier(); // the tiles before are done with
    x_tile[x_own] = select(vec4u(), x[0], is_inside);
    x_tile[x_own + LOWER] = select(vec4u(), x[1], is_inside);
    x_tile[x_own + 2u * LOWER] = select(vec4u(), x[2], is_inside);
    x_tile[x_own + 3u * LOWER] = select(vec4u(), x[3], is_inside);
    w_tile[w_own] = eight_halves(w[0], w[1]);
    w_tile[w_own + 1u] = eight_halves(w[2], w[3]);
    w_tile[w_own + 2u] = eight_halves(w[4], w[5]);
    w_tile[w_own + 3u] = eight_halves(w[6], w[7]);
    workgroupBarrier();
    x = load_x(x_source, min(4u * block + 8u + x_eighth, K / 8u - 1u));
    w = load_weights(w_source, min(block + 2u + w_block, BLOCKS - 1u));
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
  let m = x_first + x_part;
  let part_row = w_first + w_part;
  emit_matrix(sums[0], group, lane, m, part_row);
  emit_matrix(sums[1], group, lane, m, part_row + 16u);
  emit_matrix(sums[2], group, lane, m + 16u, part_row);
  emit_matrix(sums[3], group, lane, m + 16u, part_row + 16u);
}
