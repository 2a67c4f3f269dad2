// How matmul_halves.wgsl and matmul_planes.wgsl bring inputs and weights to units that multiply matrices. Four subgroups of 32
// lanes compute 64 rows of X by 64 rows of W, 32 by 32 each, 64 columns at a time through workgroup memory. Constants: K, PART_ROWS.
@group(0) @binding(0) var<storage, read> packed: array<vec4u>;       // [M, K / 32, 4]: inputs as pack_rows.wgsl leaves them
@group(0) @binding(1) var<storage, read> packed_scales: array<f32>;  // [M]

const TILE = 64u;
const BLOCKS = K / 32u;
const STRIDE = 9u; // from row to row of a tile, by sixteen bytes: 64 columns, and sixteen bytes more that put neighbouring rows into other banks
const LOWER = 16u * STRIDE; // from a matrix to the one below it
var<workgroup> x_tile: array<vec4u, TILE * STRIDE>; // [TILE, STRIDE]
var<workgroup> w_tile: array<vec4u, TILE * STRIDE>; // [TILE, STRIDE]

// What a thread brings: sixteen bytes of four rows of X, sixteen apart, and a block of a row of W.
struct Places {
  x_eighth: u32,
  x_source: u32,
  x_own: u32,
  w_block: u32,
  w_source: u32,
  w_own: u32,
}

fn places(workgroup: vec3u, thread: u32) -> Places {
  let eighth = thread % 8u;
  let block = thread % 2u;
  return Places(
    eighth, workgroup.y * TILE + thread / 8u, thread / 8u * STRIDE + eighth,
    block, min(workgroup.x * TILE + thread / 2u, PART_ROWS - 1u), thread / 2u * STRIDE + 4u * block,
  );
}

fn load_x(row: u32, eighth: u32) -> array<vec4u, 4> {
  let first = row * (K / 8u) + eighth;
  return array(packed[first], packed[first + 2u * K], packed[first + 4u * K], packed[first + 6u * K]);
}

// The last of an odd number of blocks has no second one beside it.
fn store_x(own: u32, x: array<vec4u, 4>, is_inside: bool) {
  x_tile[own] = select(vec4u(), x[0], is_inside);
  x_tile[own + LOWER] = select(vec4u(), x[1], is_inside);
  x_tile[own + 2u * LOWER] = select(vec4u(), x[2], is_inside);
  x_tile[own + 3u * LOWER] = select(vec4u(), x[3], is_inside);
}

fn store_w(own: u32, w: array<vec4u, 4>) {
  w_tile[own] = w[0];
  w_tile[own + 1u] = w[1];
  w_tile[own + 2u] = w[2];
  w_tile[own + 3u] = w[3];
}
