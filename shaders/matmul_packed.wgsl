// As matmul_tile.wgsl, with inputs that pack_inputs.wgsl made codes of one byte or two and weights whose codes fit a byte: four
// products of bytes in one instruction, and a scale for 32. Memory of the workgroup comes in two stages, so that one barrier a block is enough
// and the next block is on its way while this one is multiplied. Parts: step, packed, packed_* (scales_*), bias_*, output_*, live_eighths.
// Constants: K, M, PART_ROWS, ROW_START, BYTES.
@group(0) @binding(0) var<storage, read> packed: array<vec4u>;        // [K / 32, BYTES, 2, M]: low bytes, then high ones
@group(0) @binding(1) var<storage, read> packed_scales: array<vec2f>; // [K / 32, M]: scale, and scale times the codes' sum

const TILE = 64u;
const SIDE = 8u; // threads along an edge, and rows of each operand to a thread
const QUARTERS = 2u * BYTES; // sixteen bytes each, of a block of inputs
var<workgroup> x_tile: array<vec4u, 2 * QUARTERS * TILE>; // [2 stages, BYTES, 2 halves, TILE]
var<workgroup> x_scales: array<vec2f, 2 * TILE>; // [2 stages, TILE]
var<workgroup> w_tile: array<vec4u, 4 * TILE>;   // [2 stages, 2 halves, TILE]; row r lies at (r % 8) * 8 + r / 8
var<workgroup> w_scales: array<vec2f, 2 * TILE>; // likewise

// Thirty-two inputs: 256 times the high bytes, where there are any, plus the low ones.
struct InputCodes {
  low: Packed,
  high: Packed,
}

// The last two quarters are the high bytes; where there is but one byte they are the low ones again, and not used.
fn load_x(block: u32, row: u32) -> InputCodes {
  let first = QUARTERS * block * M + row;
  let high = first + (QUARTERS - 2u) * M;
  return InputCodes(Packed(packed[first], packed[first + M]), Packed(packed[high], packed[high + M]));
}

fn store_x(stage: u32, row: u32, x: InputCodes) {
  let first = QUARTERS * stage * TILE + row;
  x_tile[first] = x.low.low;
  x_tile[first + TILE] = x.low.high;
  if (BYTES == 2u) {
    x_tile[first + 2u * TILE] = x.high.low;
    x_tile[first + 3u * TILE] = x.high.high;
  }
}

fn x_row(stage: u32, row: u32) -> InputCodes {
  let first = QUARTERS * stage * TILE + row;
  let high = first + (QUARTERS - 2u) * TILE;
  return InputCodes(Packed(x_tile[first], x_tile[first + TILE]), Packed(x_tile[high], x_tile[high + TILE]));
}

fn codes_dot(x: InputCodes, w: Packed) -> i32 {
  if (BYTES == 1u) {
    return packed_dot(x.low, w);
  }
  return packed_dot(x.low, w) + 256 * packed_dot(x.high, w);
}

fn w_row(stage: u32, slot: u32) -> Packed {
  return Packed(w_tile[2u * stage * TILE + slot], w_tile[(2u * stage + 1u) * TILE + slot]);
}

// sum + W x over a block, for one row of x by four rows of W.
fn accumulate(sum: vec4f, x: InputCodes, x_scale: vec2f, w0: Packed, w1: Packed, w2: Packed, w3: Packed, scales: vec4f, biases: vec4f) -> vec4f {
  let dots = vec4f(vec4i(codes_dot(x, w0), codes_dot(x, w1), codes_dot(x, w2), codes_dot(x, w3)));
  return fma(x_scale.x * scales, dots, fma(vec4f(x_scale.y), biases, sum));
}

fn emit_pair(m: u32, part_row: u32, value: vec2f) {
  if (part_row < PART_ROWS) {
    emit(m, ROW_START + part_row, value);
  }
}

fn emit_row(m: u32, part_row: u32, low: vec4f, high: vec4f) {
  emit_pair(m, part_row, low.xy);
  emit_pair(m, part_row + 2u, low.zw);
  emit_pair(m, part_row + 4u, high.xy);
  emit_pair(m, part_row + 6u, high.zw);
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
  let x_source = x_first + thread;
  var low = array<vec4f, 8>();  // [row of X]: rows 0 to 3 of W. All indices are spelt out: a loop's would leave the registers
  var high = array<vec4f, 8>(); // [row of X]: rows 4 to 7 of W
  var x_codes = load_x(0u, x_source);
  var x_scale = packed_scales[x_source];
  var w_codes = packed_codes(load_codes(w_source, 0u));
  var w_scale = packed_scale(load_pair(w_source, 0u));
  for (var block = 0u; block < BLOCKS; block++) {
    let stage = block % 2u;
    store_x(stage, thread, x_codes);
    x_scales[stage * TILE + thread] = x_scale;
    w_tile[2u * stage * TILE + w_slot] = w_codes.low;
    w_tile[(2u * stage + 1u) * TILE + w_slot] = w_codes.high;
    w_scales[stage * TILE + w_slot] = w_scale;
    workgroupBarrier();
    let next = min(block + 1u, BLOCKS - 1u);
    x_codes = load_x(next, x_source);
    x_scale = packed_scales[next * M + x_source];
    w_codes = packed_codes(load_codes(w_source, next));
    w_scale = packed_scale(load_pair(w_source, next));
    let w0 = w_row(stage, tx);
    let w1 = w_row(stage, 8u + tx);
    let w2 = w_row(stage, 16u + tx);
    let w3 = w_row(stage, 24u + tx);
    let w4 = w_row(stage, 32u + tx);
    let w5 = w_row(stage, 40u + tx);
    let w6 = w_row(stage, 48u + tx);
    let w7 = w_row(stage, 56u + tx);
    let w_place = stage * TILE + tx;
    let s0 = w_scales[w_place];
    let s1 = w_scales[w_place + 8u];
    let s2 = w_scales[w_place + 16u];
    let s3 = w_scales[w_place + 24u];
    let s4 = w_scales[w_place + 32u];
    let s5 = w_scales[w_place + 40u];
    let s6 = w_scales[w_place + 48u];
    let s7 = w_scales[w_place + 56u];
    let low_scales = vec4f(s0.x, s1.x, s2.x, s3.x);
    let low_biases = vec4f(s0.y, s1.y, s2.y, s3.y);
    let high_scales = vec4f(s4.x, s5.x, s6.x, s7.x);
    let high_biases = vec4f(s4.y, s5.y, s6.y, s7.y);
    let x_place = stage * TILE + ty;
    let x0 = x_row(stage, ty);
    let t0 = x_scales[x_place];
    low[0] = accumulate(low[0], x0, t0, w0, w1, w2, w3, low_scales, low_biases);
    high[0] = accumulate(high[0], x0, t0, w4, w5, w6, w7, high_scales, high_biases);
    let x1 = x_row(stage, 8u + ty);
    let t1 = x_scales[x_place + 8u];
    low[1] = accumulate(low[1], x1, t1, w0, w1, w2, w3, low_scales, low_biases);
    high[1] = accumulate(high[1], x1, t1, w4, w5, w6, w7, high_scales, high_biases);
    let x2 = x_row(stage, 16u + ty);
    let t2 = x_scales[x_place + 16u];
    low[2] = accumulate(low[2], x2, t2, w0, w1, w2, w3, low_scales, low_biases);
    high[2] = accumulate(high[2], x2, t2, w4, w5, w6, w7, high_scales, high_biases);
    let x3 = x_row(stage, 24u + ty);
    let t3 = x_scales[x_place + 24u];
    low[3] = accumulate(low[3], x3, t3, w0, w1, w2, w3, low_scales, low_biases);
    high[3] = accumulate(high[3], x3, t3, w4, w5, w6, w7, high_scales, high_biases);
    if (live > 4u) {
      let x4 = x_row(stage, 32u + ty);
      let t4 = x_scales[x_place + 32u];
      low[4] = accumulate(low[4], x4, t4, w0, w1, w2, w3, low_scales, low_biases);
      high[4] = accumulate(high[4], x4, t4, w4, w5, w6, w7, high_scales, high_biases);
      let x5 = x_row(stage, 40u + ty);
      let t5 = x_scales[x_place + 40u];
      low[5] = accumulate(low[5], x5, t5, w0, w1, w2, w3, low_scales, low_biases);
      high[5] = accumulate(high[5], x5, t5, w4, w5, w6, w7, high_scales, high_biases);
      let x6 = x_row(stage, 48u + ty);
      let t6 = x_scales[x_place + 48u];
      low[6] = accumulate(low[6], x6, t6, w0, w1, w2, w3, low_scales, low_biases);
      high[6] = accumulate(high[6], x6, t6, w4, w5, w6, w7, high_scales, high_biases);
      let x7 = x_row(stage, 56u + ty);
      let t7 = x_scales[x_place + 56u];
      low[7] = accumulate(low[7], x7, t7, w0, w1, w2, w3, low_scales, low_biases);
      high[7] = accumulate(high[7], x7, t7, w4, w5, w6, w7, high_scales, high_biases);
    }
  }
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
