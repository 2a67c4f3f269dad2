// As matmul_halves.wgsl, on units that multiply matrices of bytes and add up in i32: inputs and weights are codes of 16 bits with a scale
// for every row, in planes of bytes, each of which meets both of the other's. Sums of a whole row fit: K is at most 65536.
// Inputs come from pack_rows.wgsl. Parts: block, code_planes, block_planes, step, weight_affine, codes_*, scales_*, bias_*, output_*.
// Constants: K, PART_ROWS, ROW_START.
@group(0) @binding(0) var<storage, read> planes: array<vec4u>;       // [M, K / 32, 4]: high bytes, then low ones
@group(0) @binding(1) var<storage, read> plane_scales: array<f32>;   // [M]

alias Left = subgroup_matrix_left<i8, 32, 16>;
alias Right = subgroup_matrix_right<i8, 16, 32>;
alias Sums = subgroup_matrix_result<i32, 16, 16>;

const TILE = 64u;
const BLOCKS = K / 32u;
const STRIDE = 9u; // from row to row of a tile, by sixteen bytes: 64 columns of two bytes, and sixteen bytes more that put neighbouring rows into other banks
const LOWER = 16u * STRIDE; // from a matrix to the one below it
var<workgroup> x_tile: array<vec4u, TILE * STRIDE>; // [TILE, STRIDE]
var<workgroup> w_tile: array<vec4u, TILE * STRIDE>; // [TILE, STRIDE]
var<workgroup> w_scales: array<f32, TILE>;          // [TILE]
var<workgroup> results: array<i32, 4 * 3 * 256>;    // [subgroup, high, mixed and low products, 16 rows of X, 16 rows of W]

// Half a block of four rows, sixteen apart.
fn load_x(row: u32, eighth: u32) -> array<vec4u, 4> {
  let first = row * (K / 8u) + eighth;
  return array(planes[first], planes[first + 2u * K], planes[first + 4u * K], planes[first + 6u * K]);
}

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
  let scale = plane_scales[m];
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
  let w_first = workgroup.x * TILE;
  let x_first = workgroup.y * TILE;
  // What this thread brings: half a block of four rows of inputs, and a block of a row of W.
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
  var bound = 0.0;
  for (var block = 0u; block < BLOCKS; block += 2u) {
    bound = max(bound, weight_bound(w_source, min(block + w_block, BLOCKS - 1u)));
  }
  bound = max(bound, subgroupShuffleXor(bound, 1u)); // the row's other blocks are its neighbour's
  if (w_block == 0u) {
    w_scales[thread / 2u] = bound / PLANES_PEAK;
  }
  let inverse = select(0.0, PLANES_PEAK / bound, bound > 1e-30);
  var high = array<Sums, 4>();
  var mixed = array<Sums, 4>();
  var low = array<Sums, 4>();
  var x = load_x(x_source, x_eighth);
  var w = fetch_weights(w_source, w_block);
  for (var block = 0u; block < BLOCKS; block += 2u) {
    let is_inside = block + x_eighth / 4u < BLOCKS; // the last of an odd number of blocks has no second one beside it
    let affine = scale_and_bias(w.pair);
    let codes = packed_block(block_scale(code_block(w.codes), affine.x, affine.y), inverse);
    workgroupBarrier(); // the tiles before are done with
    x_tile[x_own] = select(vec4u(), x[0], is_inside);
    x_tile[x_own + LOWER] = select(vec4u(), x[1], is_inside);
    x_tile[x_own + 2u * LOWER] = select(vec4u(), x[2], is_inside);
    x_tile[x_own + 3u * LOWER] = select(vec4u(), x[3], is_inside);
    w_tile[w_own] = codes[0];
    w_tile[w_own + 1u] = codes[1];
    w_tile[w_own + 2u] = codes[2];
    w_tile[w_own + 3u] = codes[3];
    workgroupBarrier();
    x = load_x(x_source, min(4u * block + 8u + x_eighth, K / 8u - 1u));
    w = fetch_weights(w_source, min(block + 2u + w_block, BLOCKS - 1u));
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
  let m = x_first + x_part;
  let part_row = w_first + w_part;
  emit_matrix(high[0], mixed[0], low[0], group, lane, m, part_row, w_part);
  emit_matrix(high[1], mixed[1], low[1], group, lane, m, part_row + 16u, w_part + 16u);
  emit_matrix(high[2], mixed[2], low[2], group, lane, m + 16u, part_row, w_part);
  emit_matrix(high[3], mixed[3], low[3], group, lane, m + 16u, part_row + 16u, w_part + 16u);
}
