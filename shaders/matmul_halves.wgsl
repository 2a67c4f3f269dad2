// As matmul_packed.wgsl, with inputs that pack_halves.wgsl made half floats and weights whose codes are half floats without
// rounding: two products in one instruction, summed in halves over 32 columns and in f32 from there on. A thread computes eight
// neighbouring rows of X by eight of W. Parts: step, half_codes_* (scales_*), bias_*, output_*, live_eighths.
// Constants: K, M, PART_ROWS, ROW_START.
@group(0) @binding(0) var<storage, read> halves: array<vec4<f16>>;   // [K, M / 4]: four rows of a column
@group(0) @binding(1) var<storage, read> input_scales: array<vec2f>; // [K / 32, M]: scale, and scale times the halves' sum

// Thirty-two weights of a row as half floats, every four in the order 0 2 1 3.
alias HalfBlock = array<vec4<f16>, 8>;
// Sums of four rows of X by eight of W.
alias Sums = array<vec4<f16>, 8>;

const TILE = 64u;
const SIDE = 8u; // threads along an edge, and rows of each operand to a thread
const QUADS = TILE / 4u;
var<workgroup> x_tile: array<vec4<f16>, 32 * QUADS>; // [32 columns, TILE rows]
var<workgroup> x_scales: array<vec2f, TILE>;         // [TILE]
var<workgroup> w_tile: array<vec4<f16>, 8 * TILE>;   // [8 quads of columns, TILE]; row r lies at (r % 8) * 8 + r / 8
var<workgroup> w_scales: array<vec2f, TILE>;         // likewise

// One column: four rows of X by eight of W.
fn add_column(sums: Sums, x: vec4<f16>, low: vec4<f16>, high: vec4<f16>) -> Sums {
  return Sums(
    fma(x, vec4<f16>(low.x), sums[0]), fma(x, vec4<f16>(low.y), sums[1]), fma(x, vec4<f16>(low.z), sums[2]), fma(x, vec4<f16>(low.w), sums[3]),
    fma(x, vec4<f16>(high.x), sums[4]), fma(x, vec4<f16>(high.y), sums[5]), fma(x, vec4<f16>(high.z), sums[6]), fma(x, vec4<f16>(high.w), sums[7]),
  );
}

// Four columns: the rows of X from `quad` on by eight rows of W, whose values for each of the columns are given.
fn add_columns(sums: Sums, first: u32, quad: u32, low: mat4x4<f16>, high: mat4x4<f16>) -> Sums {
  let place = first * QUADS + quad;
  let one = add_column(sums, x_tile[place], low[0], high[0]);
  let two = add_column(one, x_tile[place + 2u * QUADS], low[1], high[1]);
  let three = add_column(two, x_tile[place + QUADS], low[2], high[2]);
  return add_column(three, x_tile[place + 3u * QUADS], low[3], high[3]);
}

fn emit_pair(m: u32, part_row: u32, value: vec2f) {
  if (part_row < PART_ROWS) {
    emit(m, ROW_START + part_row, value);
  }
}

// Four rows of X by two of W.
fn emit_rows(m: u32, part_row: u32, even: vec4f, odd: vec4f) {
  emit_pair(m, part_row, vec2f(even.x, odd.x));
  emit_pair(m + 1u, part_row, vec2f(even.y, odd.y));
  emit_pair(m + 2u, part_row, vec2f(even.z, odd.z));
  emit_pair(m + 3u, part_row, vec2f(even.w, odd.w));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  const BLOCKS = K / 32u;
  let w_first = workgroup.x * TILE;
  let x_first = workgroup.y * TILE;
  let live = live_eighths(x_first);
  let tx = thread % SIDE;
  let ty = thread / SIDE;
  let w_slot = (thread % SIDE) * SIDE + thread / SIDE; // where this thread puts the row of W that it loads
  let w_source = min(w_first + thread, PART_ROWS - 1u);
  let x_quad = thread % QUADS;
  let x_column = thread / QUADS; // the first of eight that this thread loads a quad of
  var low = array<vec4f, 8>();  // [row of W]: rows 0 to 3 of X. All indices are spelt out: a loop's would leave the registers
  var high = array<vec4f, 8>(); // [row of W]: rows 4 to 7 of X
  let x_place = x_column * (M / 4u) + x_first / 4u + x_quad;
  var x0 = halves[x_place];
  var x1 = halves[x_place + M];
  var x2 = halves[x_place + 2u * M];
  var x3 = halves[x_place + 3u * M];
  var x4 = halves[x_place + 4u * M];
  var x5 = halves[x_place + 5u * M];
  var x6 = halves[x_place + 6u * M];
  var x7 = halves[x_place + 7u * M];
  var x_scale = input_scales[x_first + thread];
  var w = load_halves(w_source, 0u);
  var w_scale = half_scale(w_source, 0u);
  for (var block = 0u; block < BLOCKS; block++) {
    x_tile[thread] = x0;
    x_tile[64u + thread] = x1;
    x_tile[128u + thread] = x2;
    x_tile[192u + thread] = x3;
    x_tile[256u + thread] = x4;
    x_tile[320u + thread] = x5;
    x_tile[384u + thread] = x6;
    x_tile[448u + thread] = x7;
    x_scales[thread] = x_scale;
    w_tile[w_slot] = w[0];
    w_tile[1u * TILE + w_slot] = w[1];
    w_tile[2u * TILE + w_slot] = w[2];
    w_tile[3u * TILE + w_slot] = w[3];
    w_tile[4u * TILE + w_slot] = w[4];
    w_tile[5u * TILE + w_slot] = w[5];
    w_tile[6u * TILE + w_slot] = w[6];
    w_tile[7u * TILE + w_slot] = w[7];
    w_scales[w_slot] = w_scale;
    workgroupBarrier();
    // The next block is on its way while this one is multiplied.
    let next = min(block + 1u, BLOCKS - 1u);
    let next_place = 8u * next * M + x_place;
    x0 = halves[next_place];
    x1 = halves[next_place + M];
    x2 = halves[next_place + 2u * M];
    x3 = halves[next_place + 3u * M];
    x4 = halves[next_place + 4u * M];
    x5 = halves[next_place + 5u * M];
    x6 = halves[next_place + 6u * M];
    x7 = halves[next_place + 7u * M];
    x_scale = input_scales[next * M + x_first + thread];
    w = load_halves(w_source, next);
    w_scale = half_scale(w_source, next);
    if (ty < live) {
      var low_sums = Sums();
      var high_sums = Sums();
      for (var quad = 0u; quad < 8u; quad++) {
        let w_place = quad * TILE + tx;
        let low_w = transpose(mat4x4<f16>(w_tile[w_place], w_tile[w_place + 8u], w_tile[w_place + 16u], w_tile[w_place + 24u]));
        let high_w = transpose(mat4x4<f16>(w_tile[w_place + 32u], w_tile[w_place + 40u], w_tile[w_place + 48u], w_tile[w_place + 56u]));
        low_sums = add_columns(low_sums, 4u * quad, 2u * ty, low_w, high_w);
        high_sums = add_columns(high_sums, 4u * quad, 2u * ty + 1u, low_w, high_w);
      }
      let first = ty * SIDE;
      let t0 = x_scales[first];
      let t1 = x_scales[first + 1u];
      let t2 = x_scales[first + 2u];
      let t3 = x_scales[first + 3u];
      let t4 = x_scales[first + 4u];
      let t5 = x_scales[first + 5u];
      let t6 = x_scales[first + 6u];
      let t7 = x_scales[first + 7u];
      let low_scales = vec4f(t0.x, t1.x, t2.x, t3.x);
      let low_totals = vec4f(t0.y, t1.y, t2.y, t3.y);
      let high_scales = vec4f(t4.x, t5.x, t6.x, t7.x);
      let high_totals = vec4f(t4.y, t5.y, t6.y, t7.y);
      let s0 = w_scales[tx];
      low[0] = fma(low_scales * s0.x, vec4f(low_sums[0]), fma(low_totals, vec4f(s0.y), low[0]));
      high[0] = fma(high_scales * s0.x, vec4f(high_sums[0]), fma(high_totals, vec4f(s0.y), high[0]));
      let s1 = w_scales[8u + tx];
      low[1] = fma(low_scales * s1.x, vec4f(low_sums[1]), fma(low_totals, vec4f(s1.y), low[1]));
      high[1] = fma(high_scales * s1.x, vec4f(high_sums[1]), fma(high_totals, vec4f(s1.y), high[1]));
      let s2 = w_scales[16u + tx];
      low[2] = fma(low_scales * s2.x, vec4f(low_sums[2]), fma(low_totals, vec4f(s2.y), low[2]));
      high[2] = fma(high_scales * s2.x, vec4f(high_sums[2]), fma(high_totals, vec4f(s2.y), high[2]));
      let s3 = w_scales[24u + tx];
      low[3] = fma(low_scales * s3.x, vec4f(low_sums[3]), fma(low_totals, vec4f(s3.y), low[3]));
      high[3] = fma(high_scales * s3.x, vec4f(high_sums[3]), fma(high_totals, vec4f(s3.y), high[3]));
      let s4 = w_scales[32u + tx];
      low[4] = fma(low_scales * s4.x, vec4f(low_sums[4]), fma(low_totals, vec4f(s4.y), low[4]));
      high[4] = fma(high_scales * s4.x, vec4f(high_sums[4]), fma(high_totals, vec4f(s4.y), high[4]));
      let s5 = w_scales[40u + tx];
      low[5] = fma(low_scales * s5.x, vec4f(low_sums[5]), fma(low_totals, vec4f(s5.y), low[5]));
      high[5] = fma(high_scales * s5.x, vec4f(high_sums[5]), fma(high_totals, vec4f(s5.y), high[5]));
      let s6 = w_scales[48u + tx];
      low[6] = fma(low_scales * s6.x, vec4f(low_sums[6]), fma(low_totals, vec4f(s6.y), low[6]));
      high[6] = fma(high_scales * s6.x, vec4f(high_sums[6]), fma(high_totals, vec4f(s6.y), high[6]));
      let s7 = w_scales[56u + tx];
      low[7] = fma(low_scales * s7.x, vec4f(low_sums[7]), fma(low_totals, vec4f(s7.y), low[7]));
      high[7] = fma(high_scales * s7.x, vec4f(high_sums[7]), fma(high_totals, vec4f(s7.y), high[7]));
    }
    workgroupBarrier(); // the tiles are done with
  }
  if (ty >= live) {
    return;
  }
  let m = x_first + ty * SIDE;
  let part_row = w_first + tx * SIDE;
  emit_rows(m, part_row, low[0], low[1]);
  emit_rows(m + 4u, part_row, high[0], high[1]);
  emit_rows(m, part_row + 2u, low[2], low[3]);
  emit_rows(m + 4u, part_row + 2u, high[2], high[3]);
  emit_rows(m, part_row + 4u, low[4], low[5]);
  emit_rows(m + 4u, part_row + 4u, high[4], high[5]);
  emit_rows(m, part_row + 6u, low[6], low[7]);
  emit_rows(m + 4u, part_row + 6u, high[6], high[7]);
}
